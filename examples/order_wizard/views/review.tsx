/** @jsxImportSource hono/jsx */
import { rowsOf } from "../catalog.ts";
import { CartTable, type Html, Layout, PageField, type View } from "./layout.tsx";

/** Step 3: all of it once more. */
export function reviewPage(view: View): Html {
  const { lines, address, note } = view.order;
  return (
    <Layout view={view} title="Is this right?">
      <section class="panel" aria-label="Items">
        <CartTable rows={rowsOf(lines)} />
      </section>
      <section class="panel">
        <h2>Goes to</h2>
        <address>
          {address?.name}
          <br />
          {address?.street}
          <br />
          {address?.postcode} {address?.city}
        </address>
        <p>
          <a href={`/address?page=${view.page}`}>Change the address</a>
        </p>
      </section>
      {note !== "" && (
        <section class="panel">
          <h2>Note</h2>
          <p class="note">{note}</p>
        </section>
      )}
      <form method="post" action="/review" class="onward">
        <PageField view={view} />
        <input type="hidden" name="order" value={crypto.randomUUID()} />
        <a href={`/?page=${view.page}`}>Back to the items</a>
        <button type="submit">Place the order</button>
      </form>
    </Layout>
  );
}
