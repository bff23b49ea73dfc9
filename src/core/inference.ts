// What steers the types that TypeScript takes from a definition, and what it says of a wrong one.

/** A state: any object but a promise, since what makes a state does so at once. */
export type PlainState = object & { readonly then?: never };

/**
 * A key of a state that can be stored. Any text while nothing is known of the state, so that only the
 * mistake that hides it is reported.
 *
 * @typeParam S The state.
 */
export type StoredKey<S extends object> = NoInfer<
  [Exclude<keyof S, "then">] extends [never] ? string : keyof S & string
>;

/**
 * A type where it is known already, and is not to be inferred from: `NoInfer`, without its name in what
 * an editor shows.
 *
 * @typeParam T The type.
 */
export type Known<T> = [T][T extends unknown ? 0 : never];
