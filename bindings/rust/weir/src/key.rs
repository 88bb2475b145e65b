// SPDX-License-Identifier: MIT
//! Keys: what caches, flights and pacers tell their entries apart by.

use std::borrow::Cow;
use std::sync::Arc;

/// Something with the bytes of a key. Equal keys have equal bytes, different ones different bytes.
pub trait Key {
    /// The bytes.
    fn key(&self) -> Cow<'_, [u8]>;
}

impl Key for str {
    fn key(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.as_bytes())
    }
}

impl Key for String {
    fn key(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self.as_bytes())
    }
}

impl Key for [u8] {
    fn key(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self)
    }
}

impl Key for Vec<u8> {
    fn key(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self)
    }
}

impl<const N: usize> Key for [u8; N] {
    fn key(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(self)
    }
}

impl<K: Key + ?Sized> Key for &K {
    fn key(&self) -> Cow<'_, [u8]> {
        (**self).key()
    }
}

impl<K: Key + ?Sized> Key for Arc<K> {
    fn key(&self) -> Cow<'_, [u8]> {
        (**self).key()
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {
        $(impl Key for $number {
            /// Little endian.
            fn key(&self) -> Cow<'_, [u8]> {
                Cow::Owned(self.to_le_bytes().to_vec())
            }
        })*
    };
}

numbers!(u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize);

impl Key for () {
    /// No bytes.
    fn key(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&[])
    }
}

impl<A: Key, B: Key> Key for (A, B) {
    /// The first one's length, so that ("a", "bc") and ("ab", "c") differ, and both.
    fn key(&self) -> Cow<'_, [u8]> {
        let (a, b) = (self.0.key(), self.1.key());
        let mut bytes = Vec::with_capacity(8 + a.len() + b.len());
        bytes.extend_from_slice(&(a.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&a);
        bytes.extend_from_slice(&b);
        Cow::Owned(bytes)
    }
}
