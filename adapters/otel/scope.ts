/** The instrumentation scope: the name of the package. */
export const scope = "holdfast";
