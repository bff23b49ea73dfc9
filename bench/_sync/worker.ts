/** Measures one thing in a process of its own. Not to be run by hand. */
import process from "node:process";
import { decode } from "./decode.ts";
import { decoder } from "./decoder.ts";
import { dom } from "./dom.ts";
import type { Job } from "./job.ts";
import { latency } from "./latency.ts";
import { slow } from "./slow.ts";
import { views } from "./views.ts";
import { write } from "./write.ts";

const tasks = { write, latency, dom, decode, decoder, views, slow };
const job: Job = JSON.parse(process.argv[2] ?? "");
/** Settles when the one who began this has heard enough. */
const enough: Promise<void> = new Promise((resolve) => process.stdin.once("data", () => resolve()));
const answer: object = await tasks[job.task](job, () => console.log("ready"), enough);
console.log(JSON.stringify(answer));
process.exit(0);
