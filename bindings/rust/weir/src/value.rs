// SPDX-License-Identifier: MIT
//! Values: what operations take and give, as weir holds them.
//!
//! A value of this crate is a pointer value whose pointer is a [`Packet`], told from everybody else's by
//! the function that frees it. A packet names the type that it holds, and gives it out once, or as
//! copies if it was made of something that can be cloned.

use std::any::{Any, TypeId};
use std::ffi::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

use weir_sys as sys;

use crate::error::Invalid;

/// The beginning of every packet, whatever it holds.
#[repr(C)]
struct Header {
    type_id: TypeId,
    drop: unsafe fn(NonNull<Header>),
}

#[repr(C)]
struct Packet<T> {
    header: Header,
    duplicate: Option<fn(&T) -> T>,
    content: Mutex<Option<T>>,
    /// The thread whose user code looks at the content now; 0: none.
    looker: AtomicUsize,
}

/// A number that only the calling thread has.
fn this_thread() -> usize {
    thread_local!(static PLACE: u8 = const { 0 });
    // While a thread ends it has no number; nobody else has 1.
    PLACE.try_with(|place| std::ptr::from_ref(place) as usize).unwrap_or(1)
}

struct Looking<'a>(&'a AtomicUsize);

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

unsafe fn drop_packet<T>(header: NonNull<Header>) {
    // SAFETY: made by `Packet::pointer` of the same T, and freed once.
    drop(unsafe { Box::from_raw(header.as_ptr().cast::<Packet<T>>()) });
}

/// Frees a packet; its address tells packets from other pointers.
pub(crate) unsafe extern "C" fn free_packet(pointer: *mut c_void) {
    if let Some(header) = NonNull::new(pointer.cast::<Header>()) {
        // A destructor that panics must not unwind into C.
        // SAFETY: weir gives back what Packet::pointer made, once.
        let _ = catch_unwind(AssertUnwindSafe(|| unsafe { (header.as_ref().drop)(header) }));
    }
}

impl<T: Send + 'static> Packet<T> {
    fn pointer(content: T, duplicate: Option<fn(&T) -> T>) -> *mut c_void {
        let header = Header { type_id: TypeId::of::<T>(), drop: drop_packet::<T> };
        let (content, looker) = (Mutex::new(Some(content)), AtomicUsize::new(0));
        let packet = Packet { header, duplicate, content, looker };
        Box::into_raw(Box::new(packet)).cast()
    }

    /// # Panics
    /// Inside of a look at the same content, where it would wait for itself.
    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        match self.content.try_lock() {
            Ok(content) => content,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                // Only this thread stores its own number, so no other order is needed to see it.
                let inside = self.looker.load(Ordering::Relaxed) == this_thread();
                assert!(!inside, "a value is used inside of a look at it");
                self.content.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
            }
        }
    }

    /// Calls user code with the content, which is locked: it need not be Sync.
    fn look<R>(&self, look: impl FnOnce(&T) -> R) -> Option<R> {
        let content = self.lock();
        self.looker.store(this_thread(), Ordering::Relaxed);
        let _looking = Looking(&self.looker);
        content.as_ref().map(look)
    }

    /// The packet in `value`, if it holds a T.
    ///
    /// # Safety
    /// `value` is null or a value of which a reference is held for `'a`.
    unsafe fn of<'a>(value: *const sys::weir_value) -> Option<&'a Packet<T>> {
        // SAFETY: takes null; the pointer is a packet, since only packets are freed by free_packet.
        let header: NonNull<Header> =
            NonNull::new(unsafe { sys::weir_value_pointer_of(value, Some(free_packet)) }.cast())?;
        // SAFETY: as above; a packet lives as long as its value.
        if unsafe { header.as_ref() }.type_id != TypeId::of::<T>() {
            return None;
        }
        // SAFETY: the type is the one that it was made with.
        Some(unsafe { header.cast::<Packet<T>>().as_ref() })
    }
}

/// A packet that no weir value holds yet.
pub(crate) struct PacketPointer(*mut c_void);

// SAFETY: what is inside is Send, whatever its type.
unsafe impl Send for PacketPointer {}

impl PacketPointer {
    /// Gives it out, to be freed by free_packet.
    pub(crate) fn into_raw(self) -> *mut c_void {
        let pointer = self.0;
        std::mem::forget(self);
        pointer
    }
}

impl Drop for PacketPointer {
    fn drop(&mut self) {
        // SAFETY: made by Packet::pointer, and not given out.
        unsafe { free_packet(self.0) };
    }
}

/// A packet that gives its content out once.
pub(crate) fn owned_pointer<T: Send + 'static>(content: T) -> PacketPointer {
    PacketPointer(Packet::pointer(content, None))
}

/// A packet that gives out copies.
pub(crate) fn shared_pointer<T: Clone + Send + 'static>(content: T) -> PacketPointer {
    PacketPointer(Packet::pointer(content, Some(T::clone)))
}

/// Takes the T out of `value`, or copies it.
///
/// # Safety
/// `value` is null or a value of which a reference is held.
pub(crate) unsafe fn take<T: Send + 'static>(value: *const sys::weir_value) -> Option<T> {
    // SAFETY: as this function's.
    let packet = unsafe { Packet::<T>::of(value) }?;
    match packet.duplicate {
        Some(duplicate) => packet.look(duplicate),
        None => packet.lock().take(),
    }
}

/// Looks at the T in `value`.
///
/// # Safety
/// `value` is null or a value of which a reference is held.
pub(crate) unsafe fn look<T: Send + 'static, R>(
    value: *const sys::weir_value,
    look: impl FnOnce(&T) -> R,
) -> Option<R> {
    // SAFETY: as this function's.
    unsafe { Packet::<T>::of(value) }?.look(look)
}

/// A value as weir holds it: any Rust type, bytes, or a list of values. Immutable, counted, shared
/// between threads and languages; a clone is one reference more.
///
/// Most programs never see one: operations give back their own types. It is what
/// [`Error::Exhausted`](crate::Error::Exhausted) carries, and what other languages hand over.
pub struct Value(NonNull<sys::weir_value>);

// SAFETY: weir counts references atomically; what is inside is Send and behind a lock.
unsafe impl Send for Value {}
// SAFETY: as above.
unsafe impl Sync for Value {}

impl Value {
    /// A value that holds `content`, which [`Value::take`] gives out once.
    pub fn new<T: Send + 'static>(content: T) -> Result<Value, Invalid> {
        Value::from_pointer(owned_pointer(content))
    }

    /// A value that holds `content`, of which [`Value::take`] gives out copies.
    pub fn shared<T: Clone + Send + 'static>(content: T) -> Result<Value, Invalid> {
        Value::from_pointer(shared_pointer(content))
    }

    /// A value of bytes, which every language can read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Value, Invalid> {
        let mut value = ptr::null_mut();
        // SAFETY: the bytes are copied; `value` is written.
        let status = unsafe {
            sys::weir_value_new_bytes(
                ptr::null_mut(),
                bytes.as_ptr().cast(),
                bytes.len(),
                &mut value,
            )
        };
        // SAFETY: the reference is ours.
        Invalid::check(status).map(|()| unsafe { Value::owned(value) }.expect("made just now"))
    }

    /// A list of values: what many results, or the items of a parallel, are. An item may be None.
    pub fn from_list<I: Into<Option<Value>>>(
        items: impl IntoIterator<Item = I>,
    ) -> Result<Value, Invalid> {
        let items: Vec<Option<Value>> = items.into_iter().map(Into::into).collect();
        let pointers: Vec<_> =
            items.iter().map(|item| item.as_ref().map_or(ptr::null_mut(), Value::as_raw)).collect();
        let mut value = ptr::null_mut();
        // SAFETY: weir adds a reference to each of the values, which live during the call.
        let status = unsafe {
            sys::weir_value_new_list(
                ptr::null_mut(),
                pointers.as_ptr(),
                ptr::null(),
                pointers.len(),
                &mut value,
            )
        };
        // SAFETY: the reference is ours.
        Invalid::check(status).map(|()| unsafe { Value::owned(value) }.expect("made just now"))
    }

    fn from_pointer(pointer: PacketPointer) -> Result<Value, Invalid> {
        let mut value = ptr::null_mut();
        // SAFETY: the packet goes with the value, also if this fails.
        let status = unsafe {
            sys::weir_value_new_pointer(
                ptr::null_mut(),
                pointer.into_raw(),
                Some(free_packet),
                &mut value,
            )
        };
        // SAFETY: the reference is ours.
        Invalid::check(status).map(|()| unsafe { Value::owned(value) }.expect("made just now"))
    }

    /// Takes over a reference.
    ///
    /// # Safety
    /// `value` is null or a weir value of which the caller owns a reference, which this takes.
    pub unsafe fn owned(value: *mut sys::weir_value) -> Option<Value> {
        NonNull::new(value).map(Value)
    }

    /// Adds a reference.
    ///
    /// # Safety
    /// `value` is null or a weir value that lives during the call.
    pub unsafe fn borrowed(value: *mut sys::weir_value) -> Option<Value> {
        // SAFETY: takes null; the reference is ours.
        unsafe { Value::owned(sys::weir_value_ref(value)) }
    }

    /// The C handle, borrowed.
    pub fn as_raw(&self) -> *mut sys::weir_value {
        self.0.as_ptr()
    }

    /// Gives the reference out.
    pub fn into_raw(self) -> *mut sys::weir_value {
        let raw = self.as_raw();
        std::mem::forget(self);
        raw
    }

    /// The T inside: taken out, or copied if it was made by [`Value::shared`]. None if it holds another
    /// type, or was taken before.
    pub fn take<T: Send + 'static>(&self) -> Option<T> {
        // SAFETY: the reference is ours.
        unsafe { take(self.as_raw()) }
    }

    /// Calls `see` with the T inside; None if it holds another type, or was taken. Do not look at the
    /// same value inside of `see`.
    pub fn look<T: Send + 'static, R>(&self, see: impl FnOnce(&T) -> R) -> Option<R> {
        // SAFETY: the reference is ours.
        unsafe { look(self.as_raw(), see) }
    }

    /// The bytes of a value of bytes.
    pub fn bytes(&self) -> Option<&[u8]> {
        // SAFETY: the bytes live as long as the reference.
        unsafe {
            if sys::weir_value_kind(self.as_raw()) != sys::WEIR_VALUE_BYTES {
                return None;
            }
            let size = sys::weir_value_size(self.as_raw());
            if size == 0 {
                return Some(&[]);
            }
            let data = sys::weir_value_data(self.as_raw()).cast();
            Some(std::slice::from_raw_parts(data, size))
        }
    }

    /// The number of items of a list; 0 of others.
    pub fn len(&self) -> usize {
        // SAFETY: the reference is ours.
        unsafe { sys::weir_value_count(self.as_raw()) }
    }

    /// Whether this is no list, or an empty one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Item `index` of a list, if it is a value.
    pub fn item(&self, index: usize) -> Option<Value> {
        // SAFETY: the item is borrowed from the list, and gets a reference.
        unsafe { Value::borrowed(sys::weir_value_item(self.as_raw(), index)) }
    }
}

impl Clone for Value {
    fn clone(&self) -> Self {
        // SAFETY: the reference is ours.
        unsafe { sys::weir_value_ref(self.as_raw()) };
        Value(self.0)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { sys::weir_value_unref(self.as_raw()) };
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.bytes() {
            Some(bytes) => f.debug_tuple("Value").field(&bytes).finish(),
            None => f.debug_tuple("Value").field(&self.0).finish(),
        }
    }
}

/// What a value is, of which copies are given out: itself, if it is one already.
pub(crate) fn of_shared<T: Clone + Send + 'static>(content: T) -> Result<Option<Value>, Invalid> {
    let content = match same::<T, Option<Value>>(content) {
        Ok(value) => return Ok(value),
        Err(content) => content,
    };
    match same::<T, Value>(content) {
        Ok(value) => Ok(Some(value)),
        Err(content) => Value::shared(content).map(Some),
    }
}

/// A list of results that several wait for.
pub(crate) fn list_of<T, E>(results: impl Iterator<Item = Result<T, E>>) -> Result<Value, Invalid>
where
    T: Clone + Send + 'static,
    E: Clone + Send + 'static,
{
    let mut values = Vec::new();
    let mut errors = Vec::new();
    for result in results {
        let (value, error) = match result {
            Ok(value) => (Some(Value::shared(value)?), None),
            Err(error) => (None, Some(UserError::new(&Value::shared(error)?)?)),
        };
        values.push(value);
        errors.push(error);
    }
    let values_raw: Vec<_> =
        values.iter().map(|value| value.as_ref().map_or(ptr::null_mut(), Value::as_raw)).collect();
    let errors_raw: Vec<_> = errors
        .iter()
        .map(|error| error.as_ref().map_or(ptr::null_mut(), |error| error.0))
        .collect();
    let mut list = ptr::null_mut();
    // SAFETY: weir adds references of its own to what lives during the call.
    Invalid::check(unsafe {
        sys::weir_value_new_list(
            ptr::null_mut(),
            values_raw.as_ptr(),
            errors_raw.as_ptr(),
            values_raw.len(),
            &mut list,
        )
    })?;
    // SAFETY: the reference is ours.
    Ok(unsafe { Value::owned(list) }.expect("made just now"))
}

/// A user's error, as weir holds it.
pub(crate) struct UserError(pub(crate) *mut sys::weir_error);

// SAFETY: errors are immutable and counted atomically.
unsafe impl Send for UserError {}

impl UserError {
    /// With `detail` inside.
    pub(crate) fn new(detail: &Value) -> Result<UserError, Invalid> {
        let mut error = ptr::null_mut();
        // SAFETY: weir adds a reference to the detail; `error` is written.
        Invalid::check(unsafe {
            sys::weir_error_new_with(
                ptr::null_mut(),
                sys::WEIR_DOMAIN_USER,
                0,
                c"failed".as_ptr(),
                ptr::null_mut(),
                detail.as_raw(),
                &mut error,
            )
        })?;
        Ok(UserError(error))
    }
}

impl Drop for UserError {
    fn drop(&mut self) {
        // SAFETY: the reference is ours.
        unsafe { sys::weir_error_unref(self.0) };
    }
}

/// Whether T is U; then `convert` is the identity.
pub(crate) fn same<T: Any, U: Any>(value: T) -> Result<U, T> {
    let mut value = Some(value);
    match (&mut value as &mut dyn Any).downcast_mut::<Option<U>>() {
        Some(same) => Ok(same.take().expect("put there just now")),
        None => Err(value.take().expect("put there just now")),
    }
}
