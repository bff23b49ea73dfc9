// What so many sessions ask of a store and of a cluster, worked out from assumptions.

/** What is assumed; any of them can be set: `npm run capacity -- activeShare=0.05`. */
export const assumptions = {
  /** Share of the stored sessions that are in use in the busiest minute. */
  activeShare: 0.02,
  /** The average load over a month, as a share of that of the busiest minute. */
  averageShare: 0.4,
  /** Requests of an active session that look at it, and that change it. */
  readsPerMinute: 4,
  writesPerMinute: 1,
  /** Calls of objects by an active session; each changes the object. */
  callsPerMinute: 1,
  /** JSON of a session, and of the one object that each session has. */
  stateBytes: 2048,
  /** From the first request of a session until it is over. */
  lifeDays: 2,
  /** CPU that the application itself takes for a request. */
  applicationMs: 1,
  /** A node, and how busy it is to be at most. */
  cores: 2,
  busyShare: 0.5,
};

/** What Holdfast does, held against it by test/meta/capacity_test.ts. */
export const behaviour = {
  /** What a record has beside its JSON. */
  recordBytes: 150,
  /** Calls of the storage for a request that looks, and for one that stashes. */
  perRead: { get: 1 },
  perWrite: { get: 1, put: 1 },
  /** For a call that changes an object that is awake. */
  perCall: { put: 1 },
  /** Once in the life of a session, beside its requests and what a sweep looks at. */
  perLife: { get: 2, put: 2, delete: 1 },
  /** What a sweep looks at, and when the next one is. */
  sweepRecords: 1000,
  sweepEveryMs: 300_000,
  /** Messages: of a node to all, of a call to another node there and back, of the end of a session. */
  beatEveryMs: 500,
  perForwarded: 2,
  perEnd: 1,
};

/** USD: per 1,000 requests, and per GB and month. See the page for where they stand. */
export const prices = {
  aws: { classA: 0.005, classB: 0.0004, gbMonth: 0.023 },
  r2: { classA: 0.0045, classB: 0.00036, gbMonth: 0.015 },
};

/** Requests per second that S3 answers at least for each partition of a prefix. */
export const partition = { writes: 3500, reads: 5500 };

const daySeconds = 86_400;
const monthDays = 30;

/** What the sessions ask of any store in the busiest minute, and how much there is. */
function loadOf(sessions, given) {
  const active = sessions * given.activeShare;
  const perSecond = (perMinute) => active * perMinute / 60;
  const reads = perSecond(given.readsPerMinute);
  const writes = perSecond(given.writesPerMinute);
  const calls = perSecond(given.callsPerMinute);
  const ends = sessions / (given.lifeDays * daySeconds);
  const { perRead, perWrite, perCall, perLife } = behaviour;
  const recordBytes = given.stateBytes + behaviour.recordBytes;
  const gets = reads * perRead.get + writes * perWrite.get;
  const puts = writes * perWrite.put + calls * perCall.put;
  return {
    active,
    reads,
    writes,
    calls,
    ends,
    requests: reads + writes,
    /** Those that come and go with the hour; those of lives are spread over the day as they are. */
    gets,
    puts,
    lifeGets: ends * perLife.get,
    lifePuts: ends * perLife.put,
    storageReads: gets + ends * perLife.get,
    storageWrites: puts + ends * perLife.put,
    writtenBytes: (puts + ends * perLife.put) * recordBytes,
    storedGB: 2 * sessions * recordBytes / 1e9,
  };
}

/** One process that sweeps, as it does by default. */
function sweepOf(sessions) {
  const perDay = daySeconds * 1000 / behaviour.sweepEveryMs;
  const records = Math.min(behaviour.sweepRecords, sessions);
  return {
    getsPerDay: perDay * records,
    listsPerDay: perDay,
    passDays: sessions / (perDay * behaviour.sweepRecords),
  };
}

function bucketOf(load, sweep, given) {
  const month = monthDays * daySeconds;
  const sum = (varying, steady) => (varying * given.averageShare + steady) * month;
  const reads = sum(load.gets, load.lifeGets) + sweep.getsPerDay * monthDays;
  const writes = sum(load.puts, load.lifePuts) + sweep.listsPerDay * monthDays;
  const priced = (price) => {
    const parts = {
      reads: reads / 1000 * price.classB,
      writes: writes / 1000 * price.classA,
      stored: load.storedGB * price.gbMonth,
    };
    return { ...parts, total: parts.reads + parts.writes + parts.stored };
  };
  return {
    reads,
    writes,
    partitions: Math.ceil(
      Math.max(load.storageWrites / partition.writes, load.storageReads / partition.reads),
    ),
    aws: priced(prices.aws),
    r2: priced(prices.r2),
  };
}

function clusterOf(load, measured, given) {
  const { readUs, writeUs, callUs } = measured;
  const applicationUs = given.applicationMs * 1000;
  const busyCores = (load.reads * (applicationUs + readUs) +
    load.writes * (applicationUs + writeUs) + load.calls * callUs) / 1e6;
  // One more than the load needs: that many are left when one is replaced or lost.
  const nodes = Math.ceil(busyCores / (given.cores * given.busyShare)) + 1;
  const beats = nodes * 1000 / behaviour.beatEveryMs;
  const forwarded = load.calls * behaviour.perForwarded * (nodes - 1) / nodes;
  const ends = load.ends * behaviour.perEnd;
  return {
    busyCores,
    nodes,
    published: beats + forwarded + ends,
    // What is told to all goes to the teller as well, who drops it.
    delivered: (beats + ends) * nodes + forwarded,
    beatsDelivered: beats * nodes,
  };
}

/**
 * Works out one column.
 *
 * @param {number} sessions How many are stored.
 * @param {object} measured `readUs`, `writeUs`, `callUs`: CPU that Holdfast takes, from bench/results.
 * @param {object} given The assumptions.
 */
export function workOut(sessions, measured, given = assumptions) {
  const load = loadOf(sessions, given);
  const sweep = sweepOf(sessions);
  return {
    sessions,
    load,
    sweep,
    bucket: bucketOf(load, sweep, given),
    cluster: clusterOf(load, measured, given),
  };
}
