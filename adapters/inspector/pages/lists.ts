import type { Desk } from "../desk.ts";
import { html, type Markup } from "../markup.ts";
import { masked } from "../mask.ts";
import { addressOf } from "../places.ts";
import { encodeId } from "../../../src/core/key.ts";
import type { MakeSheet } from "../view.ts";

/** Ids on one page. */
const pageSize = 50;

/** Objects by class, and by what their id begins with. */
export const objects: MakeSheet = async (desk, place) => {
  if (place.page !== "objects") return undefined;
  const classes = desk.inspection.objects.classes();
  const chosen = classes.find(({ name }) => name === place.class) ?? classes[0];
  const table = html`
    <div class="scroll panel">
      <table>
        <caption>The classes this process serves</caption>
        <thead>
          <tr>
            <th scope="col">Class</th>
            <th scope="col" class="num">vsn</th>
            <th scope="col" class="num">awake</th>
            <th scope="col" class="num">hibernate</th>
          </tr>
        </thead>
        <tbody>${classes.map(({ name, vsn, awake, asleep }) =>
          html`
            <tr>
              <td>${classLink(desk, "objects", name)}</td>
              <td class="num">${vsn}</td>
              <td class="num">${awake}</td>
              <td class="num">${asleep}</td>
            </tr>
          `
        )}</tbody>
      </table>
    </div>
  `;
  if (chosen === undefined) {
    return { title: "Objects", body: html`<p>This process serves no objects.</p>` };
  }
  const { prefix, after } = place;
  const page = await desk.parts.holdfast.objects.list(chosen.name, {
    limit: pageSize,
    prefix,
    ...(after === undefined ? {} : { after }),
  });
  const names = classes.map(({ name }) => name);
  return {
    title: "Objects",
    body: html`${table}
      <h2>Objects of ${chosen.name}</h2>
      ${findForm(desk, "objects", names, chosen.name, prefix)}
      ${idList(desk, "object", chosen.name, { ...page, prefix })}`,
  };
};

/** Documents by class. */
export const documents: MakeSheet = async (desk, place) => {
  if (place.page !== "documents") return undefined;
  const classes = desk.inspection.documents.classes();
  const chosen = classes.find(({ name }) => name === place.class) ?? classes[0];
  if (chosen === undefined) {
    return { title: "Documents", body: html`<p>This process has used no documents.</p>` };
  }
  const page = await desk.inspection.documents.list(chosen.name, {
    limit: pageSize,
    after: place.after,
    prefix: place.prefix,
  });
  const names = classes.map(({ name }) => name);
  return {
    title: "Documents",
    body: html`
      <div class="scroll panel">
        <table>
          <caption>The classes this process has used</caption>
          <thead>
            <tr>
              <th scope="col">Class</th>
              <th scope="col" class="num">vsn</th>
              <th scope="col" class="num">open</th>
              <th scope="col" class="num">subscribers</th>
              <th scope="col" class="num">present</th>
            </tr>
          </thead>
          <tbody>${classes.map(({ name, vsn, open, subscribers, present }) =>
            html`
              <tr>
                <td>${classLink(desk, "documents", name)}</td>
                <td class="num">${vsn}</td>
                <td class="num">${open}</td>
                <td class="num">${subscribers}</td>
                <td class="num">${present}</td>
              </tr>
            `
          )}</tbody>
        </table>
      </div>
            <h2>Documents of ${chosen.name}</h2>
            ${findForm(desk, "documents", names, chosen.name, place.prefix)}
            ${idList(desk, "document", chosen.name, { ...page, prefix: place.prefix })}
    `,
  };
};

function classLink(desk: Desk, page: "objects" | "documents", name: string): Markup {
  return html`<a href="${desk.parts.path}/${page}?class=${name}" data-live-link="patch">${name}</a>`;
}

/** Works as a form of the browser: nothing of it needs a script. */
function findForm(
  desk: Desk,
  page: "objects" | "documents",
  names: readonly string[],
  chosen: string,
  prefix: string,
): Markup {
  const options = names.map((name) =>
    name === chosen ? html`<option selected>${name}</option>` : html`<option>${name}</option>`
  );
  return html`
    <form class="find" method="get" action="${desk.parts.path}/${page}">
      <div><label for="class">Class</label><select id="class" name="class">${options}</select></div>
      <div><label for="id">Id begins with</label>
          <input id="id" name="id" value="${masked(prefix)}" maxlength="512" autocomplete="off"
            autocapitalize="none" spellcheck="false"></div>
      <button class="main">Find</button>
    </form>
  `;
}

function idList(
  desk: Desk,
  kind: "object" | "document",
  name: string,
  { ids, next, prefix }: {
    readonly ids: readonly string[];
    readonly next: string | undefined;
    readonly prefix: string;
  },
): Markup {
  if (ids.length === 0 && next === undefined) return html`<p>Nothing is stored here.</p>`;
  const { path } = desk.parts;
  const items = ids.map((id) => {
    const shown = masked(id);
    // What looks like a token is not put into an address either.
    const link = shown === id
      ? html`<a href="${addressOf(path, kind, { name, id })}">${id}</a>`
      : html`<span>${shown}</span>`;
    return html`<li>${link}</li>`;
  });
  const more = new URLSearchParams({ class: name, id: prefix });
  const asked = prefix + (next ?? "");
  if (next !== undefined && masked(asked) === asked) more.set("after", encodeId(next));
  return html`<ul class="ids id panel">${items}</ul>
    ${
    more.has("after")
      ? html`<p><a class="button" rel="next" data-live-link="patch"
          href="${path}/${kind}s?${String(more)}">More</a></p>`
      : undefined
  }`;
}
