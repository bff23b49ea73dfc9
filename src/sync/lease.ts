/** Another node reads the log for all: the lease of the database is taken. */
export class LeaseTaken extends Error {
  constructor() {
    super("Another node has the lease of the log");
  }
}
