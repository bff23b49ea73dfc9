import { html, type Markup } from "../markup.ts";
import { masked } from "../mask.ts";
import type { Desk } from "../desk.ts";
import type { MakeSheet } from "../view.ts";

/** References shown. */
const maxRefs = 100;

/** How many sessions there are, and names for them that open nothing. */
export const sessions: MakeSheet = (desk, place) => {
  if (place.page !== "sessions") return Promise.resolve(undefined);
  const { size } = desk.inspection.sessions;
  const refs = desk.inspection.sessions.recent(maxRefs);
  const shown = refs.length < size ? `the last ${refs.length}` : "all";
  return Promise.resolve({
    title: "Sessions",
    body: html`
      <dl class="tiles">
        <div class="tile">
          <dt>In memory here</dt>
          <dd>${size}</dd>
        </div>
      </dl>
      <h2>References</h2>
      <p class="soft">Of ${shown}, as telemetry has them: the beginning of a hash. A session id leaves
        its cookie for no page, and neither does what a session holds.</p>
      ${size === 0
        ? html`<p>None is in memory.</p>`
        : html`<ul class="refs">${
          refs.map((ref) => html`<li class="state id">${masked(ref)}</li>`)
        }</ul>`}
    `,
  });
};

/** This process, and taking leave. */
export const node: MakeSheet = (desk, place) => {
  if (place.page !== "node") return Promise.resolve(undefined);
  const { node: name, holdfast, lives } = desk.parts;
  const sockets = lives.reduce((sum, { connections }) => sum + connections, 0);
  const { nodes } = holdfast;
  return Promise.resolve({
    title: `Node ${name}`,
    body: html`
      <dl class="tiles">
        <div class="tile"><dt>Pages</dt><dd>${desk.draining ? "draining" : "welcome"}</dd></div>
        <div class="tile"><dt>Sockets</dt><dd>${sockets}</dd></div>
        ${nodes === undefined ? undefined : html`
          <div class="tile">
            <dt>Cluster</dt>
            <dd>${nodes.linked ? "linked" : "not linked"}</dd>
          </div>
        `}
      </dl>
      ${nodes === undefined ? undefined : html`
        <h2>Nodes of the cluster</h2>
        <ul class="panel id">${nodes.members.map((address) =>
          html`<li>${address}${address === nodes.address ? " (this one)" : ""}</li>`
        )}</ul>
      `}
      <h2>Take leave</h2>
      ${leave(desk)}
    `,
  });
};

function leave(desk: Desk): Markup {
  const { path, node, lives } = desk.parts;
  if (lives.length === 0) return html`<p>The inspector was given no live views to drain.</p>`;
  if (desk.draining) {
    return html`<p>This node takes no new pages, and is to be started anew.</p>`;
  }
  return html`
    <form method="post" action="${path}/drain" class="panel">
      <p>Every page is told, sends what it has pending, and connects to another node. This one takes no
          pages until it is started anew; there is no way back.</p>
      <p><label for="confirm">Type <b class="id">${node}</b> to confirm</label>
          <input id="confirm" name="confirm" autocomplete="off" autocapitalize="none"
            spellcheck="false" required></p>
      <button class="danger">Drain this node</button>
    </form>
  `;
}
