// npm run bench -- NAME: a benchmark. Without a name: lists them.
import { menu } from "./lib/menu.mjs";

await menu("bench", "bench");
