// SPDX-License-Identifier: MIT
//! U8: user, orders, total, discount: each step fed by the last.

use weir::{flow, testing};

struct User {
    id: u64,
    loyal: bool,
}

async fn fetch_user(id: u64) -> Result<User, String> {
    Ok(User { id, loyal: id == 7 })
}

async fn fetch_orders(user: u64) -> Result<Vec<u64>, String> {
    Ok(vec![user * 10, user * 5])
}

fn main() -> Result<(), weir::Invalid> {
    let runtime = testing::Runtime::new(1);
    let price = flow::waterfall(&runtime, |_attempt| fetch_user(7))?
        .then(|user: &User| {
            let (id, loyal) = (user.id, user.loyal);
            async move { Ok((fetch_orders(id).await?, loyal)) }
        })?
        .then(|(orders, loyal): &(Vec<u64>, bool)| {
            let (total, loyal) = (orders.iter().sum::<u64>(), *loyal);
            async move { Ok((total, loyal)) }
        })?
        .then(|&(total, loyal): &(u64, bool)| async move {
            if total == 0 {
                return Err("nothing was ordered".to_owned());
            }
            Ok(if loyal { total * 9 / 10 } else { total })
        })?
        .build("price")?;

    assert_eq!(runtime.block_on(price.run()).unwrap(), 94);
    Ok(())
}
