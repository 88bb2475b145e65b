// SPDX-License-Identifier: MIT
//! The mailbox and the bell of the crate `weir` under loom: every order in which threads can meet in them.
#![cfg(test)]
#![allow(dead_code)]

#[path = "../../weir/src/bell.rs"]
mod bell;
mod counting;
#[path = "../../weir/src/mailbox.rs"]
mod mailbox;
