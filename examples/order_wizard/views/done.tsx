/** @jsxImportSource hono/jsx */
import { price, rowsOf } from "../catalog.ts";
import { CartTable, type Html, Layout, type View } from "./layout.tsx";

/** Step 4: what was ordered. */
export function donePage(view: View): Html {
  const [last, ...before] = view.order.placed;
  return (
    <Layout view={view} title="Thank you, it is on its way">
      <section class="panel" aria-label="Your order">
        <p>
          Order <code>{(last?.id ?? "").slice(0, 8)}</code>
        </p>
        <CartTable rows={rowsOf(last?.lines ?? [])} />
      </section>
      {before.length > 0 && (
        <section class="panel">
          <h2>Before that</h2>
          <ul>
            {before.map(({ id, cents }) => (
              <li key={id}>
                <code>{id.slice(0, 8)}</code>, {price(cents)}
              </li>
            ))}
          </ul>
        </section>
      )}
      <p class="onward">
        <a class="button" href="/">Order something else</a>
      </p>
    </Layout>
  );
}
