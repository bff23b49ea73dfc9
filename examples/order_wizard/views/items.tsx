/** @jsxImportSource hono/jsx */
import { catalog, maxQuantity, price, type Product, rowsOf } from "../catalog.ts";
import { type Html, Layout, PageField, type View } from "./layout.tsx";

/** Step 1: what to order. */
export function itemsPage(view: View): Html {
  const rows = rowsOf(view.order.lines);
  const inCart = (product: Product): number =>
    rows.find((row) => row.product === product)?.quantity ?? 0;
  return (
    <Layout view={view} title="What shall we pack?">
      <ul class="cards">
        {catalog.map((product) => (
          <Card key={product.id} view={view} product={product} inCart={inCart(product)} />
        ))}
      </ul>
      <form method="post" action="/note" class="panel">
        <PageField view={view} />
        <label for="note">A note for the packer</label>
        <textarea id="note" name="note" rows={3} maxlength={1000} aria-describedby="note-hint">
          {/* Browsers drop the first line break. */ `\n${view.order.note}`}
        </textarea>
        <p class="hint" id="note-hint">A draft of this tab: another tab has its own.</p>
        <button type="submit" class="second">Keep the note</button>
      </form>
      <p class="onward">
        {rows.length === 0
          ? <span class="quiet-text">Put something into the cart to go on.</span>
          : <a class="button" href={`/address?page=${view.page}`}>On to the address</a>}
      </p>
    </Layout>
  );
}

interface CardProps {
  readonly view: View;
  readonly product: Product;
  readonly inCart: number;
}

function Card({ view, product, inCart }: CardProps): Html {
  const field = `quantity-${product.id}`;
  return (
    <li class="card">
      <h2>{product.name}</h2>
      <p class="about">{product.about}</p>
      <p class="price">{price(product.cents)}</p>
      <form method="post" action="/cart" class="add">
        <PageField view={view} />
        <input type="hidden" name="product" value={product.id} />
        <input type="hidden" name="line" value={crypto.randomUUID()} />
        <label class="quiet" for={field}>How many of {product.name}</label>
        <input
          id={field}
          name="quantity"
          type="number"
          inputmode="numeric"
          min="1"
          max={String(maxQuantity)}
          value="1"
        />
        <button type="submit">
          Add<span class="quiet">{product.name}</span>
        </button>
      </form>
      {inCart > 0 && (
        <form method="post" action="/cart/remove" class="remove">
          <PageField view={view} />
          <input type="hidden" name="product" value={product.id} />
          <span>{inCart} in the cart</span>
          <button type="submit" class="plain">
            Remove<span class="quiet">{product.name}</span>
          </button>
        </form>
      )}
    </li>
  );
}
