/** The browser script, until the built one is here. */
export const clientScript: {
  /** The script. */
  readonly text: string;
  /** Names this version of it in its address. */
  readonly hash: string;
  /** What a browser checks it against (SRI). */
  readonly integrity: string;
} = {
  text: "",
  hash: "none",
  integrity: "sha384-OLBgp1GsljhM2TJ+sbHjaiH9txEUvgdDTAzHv2P24donTt6/529l+9Ua0vFImLlb",
};
