/** @jsxImportSource hono/jsx */
import { type AddressField, addressFields, type Mistakes } from "../forms.ts";
import type { Address } from "../stashes.ts";
import { type Html, Layout, PageField, type View } from "./layout.tsx";

/** Step 2: where to; with what was typed and what is wrong with it, if it was sent. */
export function addressPage(view: View, typed?: Address, mistakes: Mistakes = {}): Html {
  const address = typed ?? view.order.address;
  const wrong = addressFields.filter(({ name }) => mistakes[name] !== undefined);
  return (
    <Layout view={view} title="Where shall it go?">
      {wrong.length > 0 && (
        <div class="alert" role="alert">
          <p>Please look at {wrong.map(({ label }) => label.toLowerCase()).join(", ")}.</p>
        </div>
      )}
      <form method="post" action="/address" class="panel">
        <PageField view={view} />
        {addressFields.map((field) => (
          <Row
            key={field.name}
            field={field}
            value={address?.[field.name] ?? ""}
            mistake={mistakes[field.name]}
          />
        ))}
        <p class="onward">
          <a href={`/?page=${view.page}`}>Back to the items</a>
          <button type="submit">On to the review</button>
        </p>
      </form>
    </Layout>
  );
}

interface RowProps {
  readonly field: AddressField;
  readonly value: string;
  readonly mistake: string | undefined;
}

function Row({ field: { name, label, autocomplete }, value, mistake }: RowProps): Html {
  const wrong = mistake === undefined
    ? {}
    : { "aria-invalid": "true", "aria-describedby": `${name}-mistake` } as const;
  return (
    <div class="field">
      <label for={name}>{label}</label>
      <input
        id={name}
        name={name}
        value={value}
        autocomplete={autocomplete}
        maxlength={120}
        required
        {...wrong}
      />
      {mistake !== undefined && <p class="mistake" id={`${name}-mistake`}>{mistake}</p>}
    </div>
  );
}
