// npm run prove -- NAME: a long proof (soak, crash, load). Without a name: lists them.
import { menu } from "./lib/menu.mjs";

await menu("prove", "scripts/prove");
