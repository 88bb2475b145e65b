// SPDX-License-Identifier: MIT
//! The mailbox of the crate `weir` under loom: every order in which threads can meet in it.
#![cfg(test)]
#![allow(dead_code)]

#[path = "../../weir/src/mailbox.rs"]
mod mailbox;
