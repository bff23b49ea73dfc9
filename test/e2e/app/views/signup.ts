/** Every kind of control. Nothing is stored: what comes back after a crash is form recovery's doing. */
import { type AnyView, defineView } from "holdfast/live";
import { html } from "hono/html";
import * as v from "valibot";
import { facts, type Markup } from "../facts.ts";

const text = v.optional(v.string(), "");
const several = v.optional(
  v.union([v.array(v.string()), v.pipe(v.string(), v.transform((one) => [one]))]),
  [],
);

const Fields = v.object({
  name: text,
  email: text,
  password: text,
  bio: text,
  country: v.optional(v.string(), "nl"),
  langs: several,
  topics: several,
  terms: text,
  plan: v.optional(v.string(), "free"),
  volume: v.optional(v.string(), "5"),
  age: text,
  birthday: text,
  referral: text,
  extra: several,
  nickname: text,
});

const blank: v.InferOutput<typeof Fields> = v.parse(Fields, {});

interface State {
  fields: v.InferOutput<typeof Fields>;
  /** Names of the controls the user has been in. */
  touched: string[];
  /** Names in the last event that was sent, as they came. */
  sent: string[];
  /** How many fields \`extra\` there are. */
  extras: number;
  changes: number;
  recoveries: number;
  submitted: number;
}

const select = (on: boolean): string => (on ? "selected" : "");
const check = (on: boolean): string => (on ? "checked" : "");

export const Signup: AnyView = defineView({
  name: "signup",
  stored: { extras: "reconnect", submitted: "reconnect" },
  state: (): State => ({
    fields: blank,
    touched: [],
    sent: [],
    extras: 0,
    changes: 0,
    recoveries: 0,
    submitted: 0,
  }),
  events: {
    validate(ctx, input, event) {
      Object.assign(ctx.state, {
        fields: v.parse(Fields, input),
        sent: Object.keys(Object(input)).sort(),
        touched: [...event.touched].sort(),
        changes: ctx.state.changes + 1,
        recoveries: ctx.state.recoveries + (event.recovering ? 1 : 0),
      });
    },
    join(ctx, input) {
      ctx.state.fields = v.parse(Fields, input);
      ctx.state.submitted++;
    },
    more({ state }) {
      state.extras++;
    },
    plain() {},
  },
  render: ({ state, ctx }) =>
    html`
      <h1>Sign up</h1>
          <form id="signup" data-live-change="validate" data-live-submit="join">
            ${typed(state)} ${chosen(state)}
            <fieldset disabled><legend>Closed</legend>
              <label>Locked <input id="locked" name="locked" data-testid="locked" value="never sent"></label>
            </fieldset>
            ${Array.from({ length: state.extras }, (_, i) =>
              html`<label>Extra ${
                i + 1
              } <input id="extra-${i}" name="extra[]" data-testid="extra-${i}" value="${
                state.fields.extra[i] ?? ""
              }"></label>`)}
            <button type="button" data-testid="more" data-live-click="more">One more field</button>
            <button data-testid="join">Join</button>
          </form>
          <label>Referral, outside of the form
            <input id="referral" form="signup" name="referral" data-testid="referral" value="${state
              .fields.referral}">
          </label>
          <form data-live-change="plain">
        <label>In a form without id <input name="anonymous" data-testid="anonymous" value=""></label>
      </form>
          <form id="ignored" data-live-change="plain" data-live-recover="ignore">
        <label>In a form that is not recovered <input id="unrecovered" name="unrecovered" data-testid="unrecovered" value=""></label>
      </form>
          <p>Submitted <b data-testid="submitted">${state.submitted}</b> times</p>
          ${facts(ctx, state)}
    `,
});

function typed({ fields }: State): Markup {
  const input = (
    name: "name" | "email" | "password" | "age" | "birthday" | "nickname",
    type: string,
  ) =>
    html`<label>${name} <input id="${name}" name="${name}" type="${type}" data-testid="${name}" value="${
      fields[name]
    }" autocomplete="off"></label>`;
  return html`${input("name", "text")} ${input("email", "email")} ${input("password", "password")}
    ${input("age", "number")} ${input("birthday", "date")} ${input("nickname", "text")}
    <label>bio <textarea id="bio" name="bio" data-testid="bio">${`\n${fields.bio}`}</textarea></label>`;
}

function chosen({ fields }: State): Markup {
  const one = ["nl", "de", "pl"].map((value) =>
    html`<option value="${value}" ${select(fields.country === value)}>${value}</option>`
  );
  const many = ["en", "fr", "it"].map((value) =>
    html`<option value="${value}" ${select(fields.langs.includes(value))}>${value}</option>`
  );
  const topics = ["sea", "sky", "sand"].map((value) =>
    html`<label><input type="checkbox" id="topic-${value}" name="topics[]" value="${value}" data-testid="topic-${value}" ${
      check(fields.topics.includes(value))
    }>${value}</label>`
  );
  const plans = ["free", "plus", "pro"].map((value) =>
    html`<label><input type="radio" id="plan-${value}" name="plan" value="${value}" data-testid="plan-${value}" ${
      check(fields.plan === value)
    }>${value}</label>`
  );
  return html`<label>country <select id="country" name="country" data-testid="country">${one}</select></label>
    <label>langs <select id="langs" name="langs" multiple data-testid="langs">${many}</select></label>
    ${topics} ${plans}
    <label><input type="checkbox" id="terms" name="terms" data-testid="terms" ${
    check(fields.terms !== "")
  }>terms</label>
    <label>volume <input id="volume" type="range" name="volume" min="0" max="10" data-testid="volume" value="${fields.volume}"></label>`;
}
