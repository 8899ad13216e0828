// The one thing that the operator's pages cannot do without a script: look as the person chose in the app on this device.
import { start } from "./theme.js";

start();
