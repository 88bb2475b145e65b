// SPDX-License-Identifier: MIT
//! Caches: values by key, up to a bound, each for its lifetime, loaded once however many ask.

use std::ffi::c_void;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use weir_sys as sys;

use crate::attempt::{Attempt, Completion, Packing};
use crate::error::Invalid;
use crate::ffi::{
    changed, closure, closure_data, count, created, defaults, free_closure, guarded, handle, ms,
    ms_or_none, ns, stats, Text,
};
use crate::flow::List;
use crate::key::Key;
use crate::operation::{make_raw, Operation, OperationRun};
use crate::run::Options as RunOptions;
use crate::status::{numbers, Status};
use crate::value::{look, Value};
use crate::{BoxFuture, Runtime};

numbers! {
    /// Who has to go when it is full.
    Eviction {
        /// What serves this workload best at the moment.
        Adaptive = WEIR_EVICTION_ADAPTIVE,
        /// S3-FIFO.
        S3Fifo = WEIR_EVICTION_S3_FIFO,
        /// Least recently used.
        Lru = WEIR_EVICTION_LRU,
    }
}

numbers! {
    /// Why an entry left.
    Cause {
        /// Its lifetime was over.
        Expired = WEIR_EVICT_EXPIRED,
        /// To keep within the bounds.
        Size = WEIR_EVICT_SIZE,
        /// Another value was written.
        Replaced = WEIR_EVICT_REPLACED,
        /// Invalidated.
        Explicit = WEIR_EVICT_EXPLICIT,
        /// Cleared.
        Cleared = WEIR_EVICT_CLEARED,
    }
}

numbers! {
    /// When an entry's lifetime is asked for.
    Moment {
        /// Written, the key was absent.
        Created = WEIR_EXPIRE_CREATED,
        /// Written over another value.
        Updated = WEIR_EXPIRE_UPDATED,
        /// Read.
        Read = WEIR_EXPIRE_READ,
    }
}

/// How long an entry lives, from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// As it was, or for a new entry the cache's own.
    Keep,
    /// So long; zero: gone at once.
    For(Duration),
    /// Without end.
    Forever,
}

/// What a get of many gives: a result for each key, in their order.
pub type Many<V, E> = List<Arc<V>, Arc<E>>;

type WeighFn<V> = dyn Fn(&[u8], &V) -> u32 + Send + Sync;
type ExpireFn<V> = dyn Fn(Moment, &[u8], &V) -> Lifetime + Send + Sync;
type EvictFn<V> = dyn Fn(Cause, &[u8], &Arc<V>) + Send + Sync;

/// What a cache is made with.
pub struct Options<V> {
    /// Default adaptive.
    pub eviction: Eviction,
    /// Entries at most; 0 stores nothing. None: no bound. Default 1000.
    pub max_entries: Option<u64>,
    /// Weight at most; needs `weigh`. Default none.
    pub max_weight: Option<u64>,
    /// After write. None: for ever. Default 5 min.
    pub ttl: Option<Duration>,
    /// After the last use. Default none.
    pub idle: Option<Duration>,
    /// Of one load, which has no caller's deadline. Default none.
    pub load_timeout: Option<Duration>,
    /// A get that finds an entry older than this gets it, and has it loaded again in the background. At
    /// most `ttl`. Default none.
    pub refresh: Option<Duration>,
    /// How long after its end a value still serves gets whose loading failed. Default none.
    pub stale_if_error: Option<Duration>,
    /// How long a get remembers that loading failed. Default none.
    pub negative_ttl: Option<Duration>,
    /// Parts with locks of their own; 0 (default): by the processors and the bound.
    pub shards: u32,
    /// An entry's weight, by key and value; asked once, when it is written. Default none: 1.
    pub weigh: Option<Arc<WeighFn<V>>>,
    /// An entry's lifetime. Default none: the cache's.
    pub expire: Option<Arc<ExpireFn<V>>>,
    /// Told, on weir's thread, of entries that left. Default none.
    pub on_evict: Option<Arc<EvictFn<V>>>,
    /// Default "".
    pub name: String,
}

impl<V> Default for Options<V> {
    fn default() -> Self {
        Options {
            eviction: Eviction::Adaptive,
            max_entries: Some(1000),
            max_weight: None,
            ttl: Some(Duration::from_secs(300)),
            idle: None,
            load_timeout: None,
            refresh: None,
            stale_if_error: None,
            negative_ttl: None,
            shards: 0,
            weigh: None,
            expire: None,
            on_evict: None,
            name: String::new(),
        }
    }
}

impl<V> fmt::Debug for Options<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("max_entries", &self.max_entries)
            .field("ttl", &self.ttl)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<V: Send + Sync + 'static> Options<V> {
    fn with_raw<R>(&self, use_it: impl FnOnce(&sys::weir_cache_options) -> R) -> R {
        let mut raw = defaults!(weir_cache_options, weir_cache_options_init);
        let name = Text::optional(&self.name);
        raw.name = name.as_ptr();
        raw.eviction = self.eviction.raw();
        raw.max_entries = count(self.max_entries);
        raw.max_weight = count(self.max_weight);
        raw.ttl_ms = ms_or_none(self.ttl);
        raw.idle_ms = ms_or_none(self.idle);
        raw.load_timeout_ms = ms_or_none(self.load_timeout);
        raw.refresh_ms = ms_or_none(self.refresh);
        raw.stale_if_error_ms = ms_or_none(self.stale_if_error);
        raw.negative_ttl_ms = ms_or_none(self.negative_ttl);
        raw.shards = self.shards;
        if let Some(weigh) = &self.weigh {
            raw.weigh = Some(ask_weight::<V>);
            raw.weigh_data = closure_data(weigh);
            raw.weigh_free_data = Some(free_closure::<WeighFn<V>>);
        }
        if let Some(expire) = &self.expire {
            raw.expire = Some(ask_lifetime::<V>);
            raw.expire_data = closure_data(expire);
            raw.expire_free_data = Some(free_closure::<ExpireFn<V>>);
        }
        if let Some(on_evict) = &self.on_evict {
            raw.on_evict = Some(tell_eviction::<V>);
            raw.evict_data = closure_data(on_evict);
            raw.evict_free_data = Some(free_closure::<EvictFn<V>>);
        }
        use_it(&raw)
    }
}

unsafe fn bytes<'a>(key: *const c_void, size: usize) -> &'a [u8] {
    if key.is_null() {
        return &[];
    }
    // SAFETY: the caller's key.
    unsafe { std::slice::from_raw_parts(key.cast(), size) }
}

unsafe extern "C" fn ask_weight<V: Send + Sync + 'static>(
    data: *mut c_void,
    key: *const c_void,
    size: usize,
    value: *const sys::weir_value,
) -> i64 {
    // SAFETY: the closure's data; key and value are lent for the call.
    guarded(-1, || unsafe {
        let weigh = closure::<WeighFn<V>>(data);
        // Not inside of the look: it may use the cache, and that very value.
        let value = look(value, Arc::<V>::clone);
        value.map_or(1, |value| i64::from(weigh(bytes(key, size), &value)))
    })
}

unsafe extern "C" fn ask_lifetime<V: Send + Sync + 'static>(
    data: *mut c_void,
    expiry: *const sys::weir_expiry,
) -> i64 {
    // SAFETY: the closure's data; the expiry is lent for the call.
    let lifetime = guarded(Lifetime::Keep, || unsafe {
        let (expire, expiry) = (closure::<ExpireFn<V>>(data), &*expiry);
        let key = bytes(expiry.key, expiry.key_size as usize);
        let moment = Moment::from_raw(expiry.moment);
        let value = look(expiry.value, Arc::<V>::clone);
        value.map_or(Lifetime::Keep, |value| expire(moment, key, &value))
    });
    match lifetime {
        Lifetime::Keep => i64::from(sys::WEIR_EXPIRE_KEEP),
        Lifetime::For(time) => ms(time),
        Lifetime::Forever => i64::from(sys::WEIR_FOREVER),
    }
}

unsafe extern "C" fn tell_eviction<V: Send + Sync + 'static>(
    data: *mut c_void,
    _: *mut sys::weir_cache,
    eviction: *const sys::weir_eviction,
) {
    // SAFETY: the closure's data; the eviction is lent for the call.
    guarded((), || unsafe {
        let (tell, eviction) = (closure::<EvictFn<V>>(data), &*eviction);
        let key = bytes(eviction.key, eviction.key_size as usize);
        let value = look(eviction.value, Arc::<V>::clone);
        if let Some(value) = value {
            tell(Cause::from_raw(eviction.cause), key, &value);
        }
    });
}

handle! {
    /// The C handle.
    Handle, weir_cache, weir_cache_ref, weir_cache_unref
}

/// A cache of `V` by keys of `K`. Values are shared: they come in an Arc.
///
/// ```
/// use weir::{testing, Cache};
///
/// let runtime = testing::Runtime::new(1);
/// let users: Cache<u64, String> = Cache::new(&runtime, Default::default())?;
/// let user = users.get(&7, |_| async { Ok::<_, std::io::Error>("Ada".to_owned()) })?;
/// assert_eq!(*runtime.block_on(user).unwrap(), "Ada");
/// assert_eq!(*users.lookup(&7).unwrap(), "Ada");
/// # Ok::<(), weir::Invalid>(())
/// ```
pub struct Cache<K: ?Sized, V> {
    pub(crate) handle: Handle,
    pub(crate) types: PhantomData<fn(&K) -> V>,
}

impl<K: ?Sized, V> Clone for Cache<K, V> {
    fn clone(&self) -> Self {
        Cache { handle: self.handle.clone(), types: PhantomData }
    }
}

impl<K: ?Sized, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cache").field(&self.handle.raw).finish()
    }
}

impl<K: Key + ?Sized, V: Send + Sync + 'static> Cache<K, V> {
    /// Makes a cache.
    pub fn new(runtime: &Runtime, options: Options<V>) -> Result<Self, Invalid> {
        let raw = options.with_raw(|raw| {
            // SAFETY: what the options point to lives during the call.
            created(|out, error| unsafe { sys::weir_cache_new(runtime.as_raw(), raw, out, error) })
        })?;
        Ok(Cache { handle: Handle { raw, runtime: runtime.clone() }, types: PhantomData })
    }

    /// The C handle, borrowed.
    pub fn as_raw(&self) -> *mut sys::weir_cache {
        self.handle.as_raw()
    }

    /// The value that is there now; loads nothing, waits for nobody.
    pub fn lookup(&self, key: &K) -> Option<Arc<V>> {
        let key = key.key();
        let mut value = ptr::null_mut();
        // SAFETY: the key lives during the call; the reference is ours.
        let value = unsafe {
            sys::weir_cache_lookup(self.as_raw(), key.as_ptr().cast(), key.len(), &mut value);
            Value::owned(value)
        };
        value?.take()
    }

    /// As `lookup`, at a time of [`Runtime::now`].
    pub fn lookup_at(&self, key: &K, now: Duration) -> Option<Arc<V>> {
        let key = key.key();
        let mut value = ptr::null_mut();
        // SAFETY: the key lives during the call; the reference is ours.
        let value = unsafe {
            let (bytes, size) = (key.as_ptr().cast(), key.len());
            sys::weir_cache_lookup_at(self.as_raw(), bytes, size, ns(now), &mut value);
            Value::owned(value)
        };
        value?.take()
    }

    /// Writes an entry over what the key had, with the cache's lifetime. Err: heavier than the bound
    /// ([`Status::FULL`]; the key is then absent), no memory, or the runtime closes.
    pub fn put(&self, key: &K, value: impl Into<Arc<V>>) -> Result<(), Status> {
        self.write(key, value.into(), |cache, key, size, value| {
            // SAFETY: `write`'s.
            unsafe { sys::weir_cache_put(cache, key, size, value) }
        })
    }

    /// As `put`, with a lifetime of its own; None: without end.
    pub fn put_for(
        &self,
        key: &K,
        value: impl Into<Arc<V>>,
        ttl: Option<Duration>,
    ) -> Result<(), Status> {
        self.write(key, value.into(), |cache, key, size, value| {
            // SAFETY: `write`'s.
            unsafe { sys::weir_cache_put_for(cache, key, size, value, ms_or_none(ttl)) }
        })
    }

    /// As `put`, unless the key has a value, which is then given back.
    pub fn put_if_absent(
        &self,
        key: &K,
        value: impl Into<Arc<V>>,
    ) -> Result<Option<Arc<V>>, Status> {
        let mut existing = ptr::null_mut();
        let written = self.write(key, value.into(), |cache, key, size, value| {
            // SAFETY: `write`'s; `existing` is written.
            unsafe { sys::weir_cache_put_if_absent(cache, key, size, value, &mut existing) }
        });
        match written {
            Ok(()) => Ok(None),
            // SAFETY: the reference is ours.
            Err(Status::EXISTS) => Ok(unsafe { Value::owned(existing) }.and_then(|v| v.take())),
            Err(status) => Err(status),
        }
    }

    fn write(
        &self,
        key: &K,
        value: Arc<V>,
        write: impl FnOnce(*mut sys::weir_cache, *const c_void, usize, *mut sys::weir_value) -> i32,
    ) -> Result<(), Status> {
        let key = key.key();
        let value = Value::shared(value).map_err(|invalid| invalid.status())?;
        let status = write(self.as_raw(), key.as_ptr().cast(), key.len(), value.as_raw());
        crate::ffi::answered(status)
    }

    /// Uses an entry without reading it: it has `ttl` from now on (None: no end). False if there is none.
    pub fn touch(&self, key: &K, ttl: Option<Duration>) -> bool {
        let (key, ttl) = (key.key(), ms_or_none(ttl));
        // SAFETY: the key lives during the call.
        let status =
            unsafe { sys::weir_cache_touch(self.as_raw(), key.as_ptr().cast(), key.len(), ttl) };
        status == sys::WEIR_OK
    }

    /// Removes an entry; false if there was none. A load in flight is not stored.
    pub fn invalidate(&self, key: &K) -> bool {
        let key = key.key();
        // SAFETY: the key lives during the call.
        let status =
            unsafe { sys::weir_cache_invalidate(self.as_raw(), key.as_ptr().cast(), key.len()) };
        status == sys::WEIR_OK
    }

    /// Removes all entries.
    pub fn clear(&self) {
        // SAFETY: the handle is held.
        unsafe { sys::weir_cache_clear(self.as_raw()) };
    }

    /// All live entries: the keys' bytes, the values, and what is left of their lifetimes (None: no end).
    pub fn scan(&self) -> Result<Vec<Entry<V>>, Status> {
        let mut entries = Vec::new();
        let mut cursor = 0;
        loop {
            let mut batch = [sys::weir_cache_entry::default(); 64];
            let mut found = 0;
            let size = size_of::<sys::weir_cache_entry>();
            // SAFETY: there is room for as many entries as is said, of that size.
            let status = unsafe {
                let room = batch.as_mut_ptr();
                sys::weir_cache_scan(self.as_raw(), &mut cursor, room, size, 64, &mut found)
            };
            crate::ffi::answered(status)?;
            // SAFETY: the references are ours.
            entries.extend(batch[..found].iter().filter_map(|raw| unsafe { Entry::of(raw) }));
            if cursor == 0 {
                return Ok(entries);
            }
        }
    }

    /// What it has counted.
    pub fn stats(&self) -> sys::weir_cache_stats {
        stats!(weir_cache_stats, weir_cache_get_stats, self.as_raw())
    }

    /// A label on its metrics; each key once.
    pub fn set_label(&self, key: &str, value: &str) -> Result<(), Invalid> {
        let (key, value) = (Text::new(key), Text::new(value));
        // SAFETY: the texts live during the call, which copies them.
        changed(|error| unsafe {
            sys::weir_cache_set_label(self.as_raw(), key.as_ptr(), value.as_ptr(), error)
        })
    }

    /// Gets the value of a key, loading it if it is absent: once, however many ask. The load's future is
    /// polled by the runtime's spawner; it goes on for the others when this run is dropped.
    pub fn get<E, F, Fut>(&self, key: &K, load: F) -> Result<OperationRun<Arc<V>, Arc<E>>, Invalid>
    where
        E: Send + Sync + 'static,
        F: Fn(Attempt) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
    {
        self.get_with(RunOptions::default(), key, load)
    }

    /// As `get`, with options, such as a deadline; their key is `key`.
    pub fn get_with<E, F, Fut>(
        &self,
        options: RunOptions,
        key: &K,
        load: F,
    ) -> Result<OperationRun<Arc<V>, Arc<E>>, Invalid>
    where
        E: Send + Sync + 'static,
        F: Fn(Attempt) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
    {
        self.get_by(options, key, &self.loader(load)?)
    }

    /// A loader, to be put under policies and used by many gets ([`Cache::get_by`]).
    pub fn loader<E, F, Fut>(&self, load: F) -> Result<Operation<Arc<V>, Arc<E>>, Invalid>
    where
        E: Send + Sync + 'static,
        F: Fn(Attempt) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<V, E>> + Send + 'static,
    {
        Operation::shared(&self.handle.runtime, load)
    }

    /// As `get_with`, by a loader made before. The loader finds the key's bytes in [`Attempt::key`].
    pub fn get_by<E: Send + Sync + 'static>(
        &self,
        options: RunOptions,
        key: &K,
        loader: &Operation<Arc<V>, Arc<E>>,
    ) -> Result<OperationRun<Arc<V>, Arc<E>>, Invalid> {
        let options = RunOptions { key: Some(key.key().into_owned()), ..options };
        Ok(self.operation(loader)?.run_with(options))
    }

    /// The get as an operation: the run's key is the key.
    pub fn operation<E: Send + Sync + 'static>(
        &self,
        loader: &Operation<Arc<V>, Arc<E>>,
    ) -> Result<Operation<Arc<V>, Arc<E>>, Invalid> {
        let raw = created(|out, error| {
            // SAFETY: both are held.
            unsafe { sys::weir_cache_operation(self.as_raw(), loader.as_raw(), out, error) }
        })?;
        let extract = Arc::clone(&loader.extract);
        Ok(Operation::with_extract(raw, &self.handle.runtime, extract))
    }

    /// Gets many at once. Those that are absent are loaded in one call of `load`, which gets their bytes and
    /// gives a result for each, in that order. The run's list has a result for each of `keys`.
    pub fn get_many<E, F, Fut>(
        &self,
        keys: &[&K],
        load: F,
    ) -> Result<OperationRun<Many<V, E>, Arc<E>>, Invalid>
    where
        E: Send + Sync + 'static,
        F: Fn(Vec<Vec<u8>>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Vec<Result<V, E>>> + Send + 'static,
    {
        let runtime = &self.handle.runtime;
        let loader = make_raw(runtime, move |attempt| load_many(&attempt, &load))?;
        // SAFETY: made just now; given back at the end of this function.
        let loader: Operation<Value, Arc<E>> = unsafe { Operation::from_raw(loader, runtime) };
        let keys: Result<Vec<_>, _> =
            keys.iter().map(|key| Value::from_bytes(&key.key())).collect();
        let input = Some(Value::from_list(keys?)?);
        let many = self.operation_many(&loader)?;
        Ok(many.run_with(RunOptions { input, ..RunOptions::default() }))
    }

    /// The get of many as an operation: the run's input is a list ([`Value::from_list`]) of keys' bytes, and
    /// so is the loader's; what the loader gives is a list of as many results.
    pub fn operation_many<E: Send + Sync + 'static>(
        &self,
        loader: &Operation<Value, Arc<E>>,
    ) -> Result<Operation<Many<V, E>, Arc<E>>, Invalid> {
        let raw = created(|out, error| {
            // SAFETY: both are held.
            unsafe { sys::weir_cache_operation_many(self.as_raw(), loader.as_raw(), out, error) }
        })?;
        // SAFETY: a list lends its items to the call.
        let item = Arc::new(|value| unsafe { crate::outcome::plain(value) });
        let many = Operation::with_extract(raw, &self.handle.runtime, List::extractor(item));
        Ok(many)
    }
}

fn load_many<V, E, Fut>(
    attempt: &Attempt,
    load: &(impl Fn(Vec<Vec<u8>>) -> Fut + Send + Sync + 'static),
) -> BoxFuture<Completion>
where
    V: Send + Sync + 'static,
    E: Send + Sync + 'static,
    Fut: Future<Output = Vec<Result<V, E>>> + Send + 'static,
{
    let input = attempt.input().cloned();
    let keys = input.iter().flat_map(|list| (0..list.len()).filter_map(|index| list.item(index)));
    let keys = keys.map(|key| key.bytes().unwrap_or_default().to_vec()).collect();
    let loading = load(keys);
    let list = async move {
        let results = loading.await.into_iter();
        let items = results.map(|result| result.map(Arc::new).map_err(Arc::new));
        crate::value::list_of(items).map_err(|invalid| Arc::new(invalid.to_string()))
    };
    Box::pin(Packing::new(list, Completion::of::<Value, Arc<String>>))
}

/// An entry of a scan.
#[derive(Debug)]
pub struct Entry<V> {
    /// The key's bytes.
    pub key: Vec<u8>,
    /// The value.
    pub value: Arc<V>,
    /// Of its lifetime; None: no end.
    pub remaining: Option<Duration>,
    /// Its weight.
    pub weight: u64,
}

impl<V: Send + Sync + 'static> Entry<V> {
    /// # Safety
    /// The entry's references are the caller's, and this takes them.
    unsafe fn of(raw: &sys::weir_cache_entry) -> Option<Entry<V>> {
        // SAFETY: as this function's.
        let (key, value) = unsafe { (Value::owned(raw.key), Value::owned(raw.value)) };
        Some(Entry {
            key: key?.bytes()?.to_vec(),
            value: value?.take()?,
            remaining: crate::ffi::duration(raw.remaining_ns),
            weight: raw.weight,
        })
    }
}
