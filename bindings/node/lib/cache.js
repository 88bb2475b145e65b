// SPDX-License-Identifier: MIT
'use strict';
// Cache, memoize, single flight.
const native = require('./native.js');
const { Handle, listen, made } = require('./handle.js');
const { InvalidError, valueOf } = require('./errors.js');
const { defaultRuntime, keyOf } = require('./runtime.js');
const { Operation, operation, NONE } = require('./operation.js');
const { checkOptions } = require('./options.js');
const { rejecting, methodsReject } = require('./rejecting.js');

const ABSENT = -3;
const EVICTIONS = ['', 'expired', 'size', 'replaced', 'explicit', 'cleared'];

// A get, or a flight, inside of a policy: its deciders see how that ended.
function under(policy, { policy: _, input, ...options }, go) {
  return policy.run(
    ({ signal, remainingMs }) => go({ input, signal, deadlineMs: remainingMs }),
    options,
  );
}

function evictionListener(runtime, onEvict, told) {
  if (onEvict === undefined) return undefined;
  const tell = (side) =>
    onEvict({
      key: side.key,
      value: valueOf(side.value, runtime._values),
      cause: EVICTIONS[side.number],
      weight: side.first,
    });
  return listen(runtime, typeof onEvict === 'function' ? tell : onEvict, told);
}

function checkTtl(what, ttlMs) {
  if (!(ttlMs >= 0))
    throw new InvalidError(`cache.${what}: ttlMs must be 0 or more, or Infinity (got ${ttlMs})`);
}

class Cache extends Handle {
  constructor(options = {}) {
    checkOptions('cache', options);
    const { load, loadMany, weigh, ttlFor, onEvict, runtime = defaultRuntime(), ...rest } = options;
    const told = {};
    const listener = evictionListener(runtime, onEvict, told);
    const handle = made(runtime, told, () =>
      native.cacheNew(runtime._open(), rest, weigh !== undefined, listener, ttlFor !== undefined),
    );
    const get = native.cacheOperation(runtime._open(), handle, 0);
    super(runtime, handle, [get]);
    this._tells(told);
    this._get = get;
    this._load = load;
    this._weigh = weigh;
    this._ttlFor = ttlFor;
    this._hasEntries = weigh !== undefined || ttlFor !== undefined;
    this._many = loadMany === undefined ? undefined : this._manyOf(loadMany);
    this.name = rest.name ?? '';
  }

  /**
   * The value of a key; what is absent is loaded with `load(key, attempt)`, once for all who wait.
   */
  get(key, load = this._load, options = NONE) {
    checkOptions('run with a policy', options, 'run');
    if (typeof load !== 'function') throw new InvalidError('cache.get needs a function that loads');
    this._open();
    const { policy } = options;
    if (policy !== undefined) return under(policy, options, (its) => this.get(key, load, its));
    const input = {
      start: (attempt) => load(key, attempt),
      judges: undefined,
      input: undefined,
      entry: this._hasEntries ? (value) => this._entryOf(key, value) : undefined,
    };
    return this._runtime._launch(
      this._get,
      0,
      undefined,
      undefined,
      0,
      { ...options, key, input },
      this,
    );
  }

  // What weir has to know of a value that is stored; -2: the cache's own lifetime.
  _entryOf(key, value) {
    const lifetime = this._ttlFor?.(key, value) ?? undefined;
    return {
      weight: this._weigh === undefined ? 0 : this._weigh(key, value),
      ttlMs: lifetime === undefined ? -2 : Math.max(lifetime, 0),
    };
  }

  // The function of a loader, which says of each value what weir has to know of it.
  _loading(loader, lists) {
    const fn = loader instanceof Operation ? loader._start : loader;
    if (fn === undefined) throw new InvalidError('a function is needed, or the operation of one');
    return operation(
      (attempt) => {
        if (this._hasEntries && !lists) {
          const { key } = attempt;
          attempt._entry = (value) => this._entryOf(key, value);
        }
        if (lists) {
          const keys = attempt.input.map(String);
          attempt.input = keys;
          attempt._lists = true;
          if (this._hasEntries) attempt._entry = (value, i) => this._entryOf(keys[i], value);
        }
        return fn(attempt);
      },
      { runtime: this._runtime },
    );
  }

  /** Many keys at once; what is absent is loaded by one call of the option loadMany(keys, attempt),
   *  which gives a list of values or errors. Items that failed are their errors. */
  getMany(keys, options = NONE) {
    this._open();
    if (this._many === undefined) throw new InvalidError('cache.getMany needs the option loadMany');
    if (!Array.isArray(keys)) throw new InvalidError('cache.getMany needs a list of keys');
    checkOptions('run', options);
    return this._runtime._launch(
      this._many._open(),
      0,
      undefined,
      undefined,
      0,
      { ...options, keys },
      this,
    );
  }

  _manyOf(loadMany) {
    const many = this.operationMany((attempt) => loadMany(attempt.input, attempt));
    many._keeps = many._keeps[1]; // not this cache, so that both can be collected
    return many;
  }

  /** The get as an operation: the run's key is the key. */
  operation(loader) {
    const runtime = this._runtime;
    const load = this._hasEntries ? this._loading(loader, false) : operation(loader, { runtime });
    const handle = native.cacheOperation(runtime._open(), this._open(), load._open());
    return new Operation(runtime, handle, [this, load]);
  }

  /** The get of many as an operation: the run's `keys` are the keys. */
  operationMany(loader) {
    const runtime = this._runtime;
    const load = this._loading(loader, true);
    const handle = native.cacheOperationMany(runtime._open(), this._open(), load._open());
    return new Operation(runtime, handle, [this, load]);
  }

  /** The value that is there, now; undefined if there is none. */
  lookup(key) {
    const found = native.cacheLookup(this._open(), keyOf(key));
    return found === ABSENT ? undefined : valueOf(found, this._runtime._values);
  }

  /** Whether there is a value, which may be undefined. Counts as a lookup. */
  has(key) {
    return native.cacheLookup(this._open(), keyOf(key)) !== ABSENT;
  }

  /** Writes; `ttlMs` gives it a lifetime of its own. False: it is heavier than the bound. */
  put(key, value, options = NONE) {
    checkOptions('put', options, 'cache.put');
    const { ttlMs } = options;
    checkTtl('put', ttlMs ?? 0);
    const { id, weight, lifetime } = this._keep(key, value);
    const runtime = this._runtime._open();
    const ttl = ttlMs ?? lifetime;
    return native.cachePut(runtime, this._open(), keyOf(key), id, weight, ttl);
  }

  /** Writes unless there is a value: that one, else undefined. */
  putIfAbsent(key, value) {
    const { id, weight, lifetime } = this._keep(key, value);
    const runtime = this._runtime._open();
    if (this._ttlFor !== undefined) native.setNumber(runtime, true, id, lifetime);
    const found = native.cachePutIfAbsent(runtime, this._open(), keyOf(key), id, weight);
    return found === ABSENT ? undefined : valueOf(found, this._runtime._values);
  }

  // A value that is about to be stored: its id, weight and lifetime.
  _keep(key, value) {
    keyOf(key);
    this._open();
    if (!this._hasEntries) {
      return {
        id: value === undefined ? -1 : this._runtime._values.put(value),
        weight: 0,
        lifetime: -2,
      };
    }
    const { weight, ttlMs } = this._entryOf(key, value);
    return { id: this._runtime._values.put(value), weight, lifetime: ttlMs };
  }

  /** Uses an entry without reading it, and gives it a lifetime from now; whether it was there. */
  touch(key, ttlMs) {
    checkTtl('touch', ttlMs);
    return native.cacheControl(this._open(), 0, keyOf(key), ttlMs);
  }

  /** Removes; whether it was there. */
  invalidate(key) {
    return native.cacheControl(this._open(), 1, keyOf(key), 0);
  }

  delete(key) {
    return this.invalidate(key);
  }

  clear() {
    native.cacheControl(this._open(), 2, '', 0);
  }

  /** All live entries, { key, value, remainingMs, weight }; others may write meanwhile. */
  *entries() {
    const cursor = new BigUint64Array(1);
    do {
      for (const entry of native.cacheScan(this._open(), cursor)) {
        entry.value = valueOf(entry.value, this._runtime._values);
        yield entry;
      }
    } while (cursor[0] !== 0n);
  }

  [Symbol.iterator]() {
    return this.entries();
  }

  get stats() {
    return native.cacheStats(this._open());
  }

  label(key, value) {
    native.label('cache', this._open(), key, value);
    return this;
  }
}

methodsReject(Cache, 'get', 'getMany');

/** A cache: `const profiles = cache({ ttlMs: 60_000, load: fetchProfile })`. */
function cache(options) {
  return new Cache(options);
}

const isExact = (arg) =>
  typeof arg === 'string' || typeof arg === 'boolean' || arg === null || Number.isFinite(arg);

// A replacer: JSON would take some things for others, whose results they would then be given.
function exactly(_, value) {
  if (typeof value === 'number' && !Number.isFinite(value)) return { '': String(value) };
  if (typeof value === 'bigint') return { '': `${value}n` };
  if (value === undefined && Array.isArray(this)) return { '': 'undefined' };
  const isOpaque =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.keys(value).length === 0 &&
    ![Object.prototype, null].includes(Object.getPrototypeOf(value));
  if (isOpaque || typeof value === 'function' || typeof value === 'symbol') {
    const name = isOpaque ? `a ${value.constructor?.name ?? 'class'}` : `a ${typeof value}`;
    throw new InvalidError(`no key can be made of ${name}: give a function that makes the keys`);
  }
  return value;
}

function keyOfArguments(...args) {
  if (args.length === 1 && typeof args[0] === 'string') return `s${args[0]}`;
  return args.every(isExact) ? JSON.stringify(args) : JSON.stringify(args, exactly);
}

/** The same function, which computes once for equal arguments: `memoize(fn, { ttlMs })`. */
function memoize(fn, options = {}) {
  if (typeof fn !== 'function') throw new InvalidError('memoize needs a function');
  checkOptions('memoize', options);
  const { key = keyOfArguments, ttlMs = Infinity, ...rest } = options;
  const values = new Cache({ ...rest, ttlMs });
  function memoized(...args) {
    return values.get(key(...args), () => fn.apply(this, args));
  }
  return Object.assign(rejecting(memoized), {
    cache: values,
    clear: () => values.clear(),
    invalidate: (...args) => values.invalidate(key(...args)),
    close: () => values.close(),
  });
}

/** The same of an operation: its run's input is the argument. */
class Memoized {
  constructor(inner, given = {}) {
    checkOptions('memoize', given);
    const { key = keyOfArguments, ttlMs = Infinity, ...options } = given;
    this.cache = new Cache({ ...options, runtime: inner._runtime, ttlMs });
    this._operation = this.cache.operation(inner);
    this._key = key;
  }

  run(options = NONE) {
    return this._operation.run({ ...options, key: this._key(options.input) });
  }

  settle(options = NONE) {
    return this._operation.settle({ ...options, key: this._key(options.input) });
  }
}

methodsReject(Memoized, 'run', 'settle');

/** Of calls with one key that overlap, one does the work and all get its outcome. */
class Flight extends Handle {
  constructor(given = {}) {
    checkOptions('flight', given);
    const { runtime = defaultRuntime(), ...options } = given;
    const handle = native.flightNew(runtime._open(), options);
    const work = native.flightOperation(runtime._open(), handle, 0);
    super(runtime, handle, [work]);
    this._work = work;
  }

  run(key, fn, options = NONE) {
    this._open();
    if (typeof fn !== 'function') throw new InvalidError('flight.run needs a function');
    checkOptions('run with a policy', options, 'run');
    const { policy } = options;
    if (policy !== undefined) return under(policy, options, (its) => this.run(key, fn, its));
    const input = { start: fn, judges: undefined, input: options.input, entry: undefined };
    return this._runtime._launch(
      this._work,
      0,
      undefined,
      undefined,
      0,
      { ...options, key, input },
      this,
    );
  }

  /** The same function; `key(...args)` says which calls are one. */
  bind(fn, key = keyOfArguments) {
    return rejecting((...args) => this.run(key(...args), () => fn(...args)));
  }

  /** As an operation: the run's key is the key. */
  operation(inner) {
    const runtime = this._runtime;
    const work = operation(inner, { runtime });
    return new Operation(
      runtime,
      native.flightOperation(runtime._open(), this._open(), work._open()),
      [this, work],
    );
  }

  /** The next run with this key begins anew. */
  forget(key) {
    this._runtime._arrive();
    native.flightForget(this._open(), keyOf(key));
  }

  get stats() {
    return native.flightStats(this._open());
  }
}

methodsReject(Flight, 'run');

module.exports = { Cache, cache, memoize, Memoized, Flight };
