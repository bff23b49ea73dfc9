/**
 * Loads one of the packages that are installed here, beside this file, for the benchmarks alone.
 *
 * @typeParam T What is used of it: its own types may not be there.
 */
export async function load<T>(name: string): Promise<T> {
  const loaded: T = await import(name);
  return loaded;
}
