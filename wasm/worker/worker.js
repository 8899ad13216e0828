// Starts the worker's Go program.
import "holdfast:go";
import { assets } from "holdfast:assets";

const go = new Go();
const { instance } = await WebAssembly.instantiateStreaming(fetch(assets["worker.wasm"]), go.importObject);
go.run(instance);
