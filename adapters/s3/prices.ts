/** What requests cost, in US dollars per 1,000. Deleting is free at all of the listed ones. */
export interface S3Prices {
  /** Writing and listing. */
  readonly classA: number;
  /** Reading and looking. */
  readonly classB: number;
}

/** The requests that are made. */
export type S3Operation = "get" | "head" | "put" | "delete" | "list";

/**
 * As published for the standard class, in USD per 1,000, looked up in November 2026: AWS in us-east-1
 * (aws.amazon.com/s3/pricing), R2 (developers.cloudflare.com/r2/pricing), Tigris in one region
 * (tigrisdata.com/docs/pricing). Other regions cost more; free allowances are not counted.
 */
const published: Readonly<Record<"aws" | "r2" | "tigris" | "own", S3Prices>> = {
  aws: { classA: 0.005, classB: 0.0004 },
  r2: { classA: 0.0045, classB: 0.00036 },
  tigris: { classA: 0.005, classB: 0.0005 },
  own: { classA: 0, classB: 0 },
};

/**
 * The prices at an endpoint: those of AWS without one, nothing for one that is not listed.
 *
 * @param endpoint Address of the server.
 */
export function pricesAt(endpoint: string | undefined): S3Prices {
  if (endpoint === undefined || /\.amazonaws\.com\b/.test(endpoint)) return published.aws;
  if (/\.r2\.cloudflarestorage\.com\b/.test(endpoint)) return published.r2;
  if (/\btigris\.dev\b|\bt3\.storage\.dev\b/.test(endpoint)) return published.tigris;
  return published.own;
}

/**
 * What one request costs. Servers do not charge for what they failed at themselves.
 *
 * @param status HTTP status of the answer; `undefined` if there was none.
 * @returns US dollars.
 */
export function costOf(
  { classA, classB }: S3Prices,
  operation: S3Operation,
  status: number | undefined,
): number {
  if (status === undefined || status >= 500 || operation === "delete") return 0;
  return (operation === "put" || operation === "list" ? classA : classB) / 1000;
}
