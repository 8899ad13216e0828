import { PGlite } from "@electric-sql/pglite";
import { worker } from "@electric-sql/pglite/worker";

worker({ init: () => PGlite.create({ dataDir: "opfs-ahp://tasks", relaxedDurability: true }) });
