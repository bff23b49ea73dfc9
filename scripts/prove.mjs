// npm run prove -- NAME: a long proof (soak, crash, load). Without a name: lists them;
// `NAME --help` says what one does, and its arguments.
import { menu } from "./lib/menu.mjs";

await menu("prove", "scripts/prove");
