/** The board as a live view: the document is everybody's, what is being typed the page's. */
import type { DocumentClient, Membership, Tree, TreeOp } from "holdfast";
import { type AnyView, defineView, type ViewContext } from "holdfast/live";
import * as v from "valibot";
import { Board, moveTo } from "./board.ts";
import { render } from "./render.ts";

export interface BoardState {
  /** Who this browser is on the board; nobody until a name was given. */
  me: { id: string; name: string };
  /** New cards that are being typed, by column. */
  drafts: Record<string, string>;
  /** The card whose title is being changed. */
  editing: string;
  /** Why the last operation did not happen. */
  notice: string;
}

type Context = ViewContext<BoardState>;
type Joined = Membership<Tree, TreeOp>;

const Id = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/));
const Title = v.pipe(v.string(), v.trim(), v.maxLength(200));
const Move = v.object({ id: Id, to: Id, at: v.number() });
/** The buttons of a card; each says what it does in its value. */
const Act = v.object({
  id: Id,
  move: v.optional(v.pipe(v.string(), v.regex(/^[a-z]+:\d+$/))),
  edit: v.optional(v.string()),
  remove: v.optional(v.string()),
});

/** What is done with one board. */
interface Deeds {
  /** What each view has joined. */
  readonly joined: WeakMap<object, Joined>;
  /** Joins, as whoever this browser is; the name is told to everybody. */
  join(ctx: Context): Promise<void>;
  /** Does an operation, and says why if it does not happen. */
  change(ctx: Context, op: TreeOp | "undo" | "redo"): Promise<void>;
  move(ctx: Context, input: v.InferOutput<typeof Move>): Promise<void>;
}

function deedsOn(board: DocumentClient<Tree, TreeOp>, id: string): Deeds {
  const joined: Deeds["joined"] = new WeakMap();

  async function join(ctx: Context): Promise<void> {
    const { me } = ctx.state;
    joined.get(ctx)?.leave();
    const member = await ctx.join(Board, id, {
      actor: me.id === "" ? null : me.id,
      readOnly: me.id === "",
    });
    joined.set(ctx, member);
    if (me.id !== "" && ctx.connected) member.here({ name: me.name, card: "" });
  }

  async function change(ctx: Context, op: TreeOp | "undo" | "redo"): Promise<void> {
    const actor = ctx.state.me.id;
    if (actor === "") return;
    const answer = op === "undo"
      ? await board.undo(actor)
      : op === "redo"
      ? await board.redo(actor)
      : await board.mutate(op, { actor });
    const isDone = answer.status === "commit" || answer.status === "rectified";
    ctx.state.notice = isDone ? "" : `Not done: ${answer.reason}.`;
  }

  async function move(ctx: Context, input: v.InferOutput<typeof Move>): Promise<void> {
    await change(ctx, moveTo(await board.state(), input.id, input.to, input.at));
    ctx.focus(`card-${input.id}`);
  }

  return { joined, join, change, move };
}

/** What a card's buttons do. */
async function act(deeds: Deeds, ctx: Context, input: v.InferOutput<typeof Act>): Promise<void> {
  const { id, move, edit, remove } = input;
  if (edit !== undefined) ctx.state.editing = id;
  if (remove !== undefined) await deeds.change(ctx, { op: "remove", id });
  const [to = "", at = ""] = move?.split(":") ?? [];
  if (to !== "") await deeds.move(ctx, { id, to, at: Number(at) });
}

/** Adds what was typed to a column. */
async function add(
  deeds: Deeds,
  ctx: Context,
  { column, title }: { readonly column: string; readonly title: string },
): Promise<void> {
  if (title === "") return;
  const card = { id: crypto.randomUUID(), type: "card", attrs: { title }, parent: column };
  await deeds.change(ctx, { op: "put", nodes: [card] });
  if (ctx.state.notice === "") ctx.state.drafts[column] = "";
}

async function rename(
  deeds: Deeds,
  ctx: Context,
  { id, title }: { readonly id: string; readonly title: string },
): Promise<void> {
  if (title !== "") await deeds.change(ctx, { op: "update", id, set: { title } });
  ctx.state.editing = "";
  ctx.focus(`card-${id}`);
}

/**
 * Makes the view of one board.
 *
 * @param board The document.
 * @param id Its id.
 */
export function boardView(board: DocumentClient<Tree, TreeOp>, id: string): AnyView {
  const deeds = deedsOn(board, id);
  return defineView({
    name: "board",
    vsn: 1,
    // What is half typed belongs to its page, and so does the form it is typed into.
    stored: { me: "session", drafts: "reconnect", editing: "reconnect" },
    schema: v.object({
      me: v.object({ id: v.string(), name: v.string() }),
      drafts: v.record(v.string(), v.string()),
      editing: v.string(),
      notice: v.string(),
    }),
    state: (): BoardState => ({ me: { id: "", name: "" }, drafts: {}, editing: "", notice: "" }),
    mount: deeds.join,
    events: {
      enter: {
        input: v.object({ name: v.pipe(v.string(), v.trim(), v.nonEmpty(), v.maxLength(40)) }),
        async run(ctx, { name }) {
          ctx.state.me = { id: crypto.randomUUID(), name };
          await deeds.join(ctx);
        },
      },
      type: {
        input: v.object({ column: Id, title: v.pipe(v.string(), v.maxLength(200)) }),
        run: ({ state }, { column, title }) => void (state.drafts[column] = title),
      },
      add: {
        input: v.object({ column: Id, title: Title }),
        run: (ctx, input) => add(deeds, ctx, input),
      },
      act: { input: Act, run: (ctx, input) => act(deeds, ctx, input) },
      move: { input: Move, run: deeds.move },
      rename: {
        input: v.object({ id: Id, title: Title }),
        run: (ctx, input) => rename(deeds, ctx, input),
      },
      undo: (ctx) => deeds.change(ctx, "undo"),
      redo: (ctx) => deeds.change(ctx, "redo"),
      look: {
        input: v.object({ card: v.union([Id, v.literal("")]) }),
        run(ctx, { card }) {
          const { me } = ctx.state;
          if (me.id !== "") deeds.joined.get(ctx)?.here({ name: me.name, card });
        },
      },
    },
    render: ({ state, ctx }) => {
      const member = deeds.joined.get(ctx);
      return render(state, member?.state ?? { nodes: {} }, Object.values(member?.presence ?? {}));
    },
  });
}
