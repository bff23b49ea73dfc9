/** What there is to order. */
export interface Product {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  readonly cents: number;
}

export const catalog: readonly Product[] = [
  { id: "kelp", name: "Smoked kelp", about: "Dried over oak, crisp, 80 g", cents: 450 },
  { id: "biscuit", name: "Ship's biscuit", about: "Keeps for years, 12 pieces", cents: 320 },
  { id: "tea", name: "Chart room tea", about: "Black, strong, a little salt, 100 g", cents: 790 },
  { id: "salt", name: "Grey sea salt", about: "Raked by hand, 500 g", cents: 580 },
  { id: "soap", name: "Rope soap", about: "Works in sea water, on a cord", cents: 640 },
  { id: "lantern", name: "Storm lantern", about: "Burns through a gale, brass", cents: 4900 },
];

export const maxLines = 200;
export const maxQuantity = 20;

export function productOf(id: string): Product | undefined {
  return catalog.find((product) => product.id === id);
}

/** A row of the cart as people read it. */
export interface CartRow {
  readonly product: Product;
  readonly quantity: number;
  readonly cents: number;
}

/** Adds up the lines of each product, in the order of the catalogue. */
export function rowsOf(
  lines: readonly { readonly product: string; readonly quantity: number }[],
): readonly CartRow[] {
  return catalog.flatMap((product) => {
    const quantity = lines.filter((line) => line.product === product.id)
      .reduce((sum, line) => sum + line.quantity, 0);
    return quantity === 0 ? [] : [{ product, quantity, cents: quantity * product.cents }];
  });
}

export function totalOf(rows: readonly CartRow[]): number {
  return rows.reduce((sum, row) => sum + row.cents, 0);
}

export function price(cents: number): string {
  return `€${(cents / 100).toFixed(2)}`;
}
