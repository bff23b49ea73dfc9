/** The version of how updates are stored and sent, which is ours; what is in them is their users'. */
export const yjsVsn = 1;
