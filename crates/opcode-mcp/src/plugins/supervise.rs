//! Keeps one plugin up: starts it, watches it, starts it again later and later, and leaves it alone when that is no use.
//!
//! Keeps: a plugin's troubles are its own; whoever waits for it is told of them.
//! Not here: how it comes up (`connect.rs`).

use std::sync::Arc;
use std::time::Duration;

use opcode_model::{ErrorCode, Failure};
use opcode_runtime::now;
use rmcp::model::{ClientRequest, PingRequest, RequestMetaObject, SubscriptionFilter};
use rmcp::service::{Peer, RoleClient};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::{Instant, sleep, timeout};

use super::Shell;
use super::connect::{Connected, connect};
use super::line::{Counts, Live, Phase};
use super::plugin::Plugin;

/// The first pause before it is started again; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// So often in a row a program may go down; then it is left alone.
const CRASHES_MAX: u32 = 5;
/// Up for so long, it has done well.
const WELL: Duration = Duration::from_secs(60);
/// How often it is asked whether it is there.
const HEALTH_PAUSE: Duration = Duration::from_secs(15);
/// How long it may take to say so.
const HEALTH_MAX: Duration = Duration::from_secs(10);
/// So often in a row it may not.
const MISSES_MAX: u32 = 2;
/// Changes of its tools are looked at once in so long.
const CALM: Duration = Duration::from_millis(500);

/// What it can be told.
pub(super) enum Order {
    /// Told when it is no longer what it was.
    Restart(oneshot::Sender<()>),
    /// What can be called of it may have changed.
    Review,
    /// It is not wanted any more; told when its program is dead.
    End(oneshot::Sender<()>),
}

/// How it went down.
enum Down {
    Failed(Failure),
    /// `None` once nobody is left to say anything.
    Told(Option<Order>),
}

/// Goes on until the plugin is not wanted any more. `eager`: it comes up at once, not when it is first needed.
pub(super) async fn supervise(
    plugin: Arc<Plugin>,
    shell: Shell,
    mut orders: mpsc::Receiver<Order>,
    eager: bool,
) {
    let mut down = match eager || !plugin.is_known() {
        true => Down::Told(Some(Order::Review)),
        false => asleep(&plugin, &mut orders).await,
    };
    let mut crashes = 0;
    let done = loop {
        match down {
            Down::Told(Some(Order::Restart(heard))) => {
                crashes = 0;
                plugin.line.enter(now(), Phase::Starting);
                // Whoever asked may not wait for it.
                heard.send(()).unwrap_or_default();
            }
            Down::Told(Some(Order::Review)) => crashes = 0,
            Down::Told(Some(Order::End(done))) => break Some(done),
            Down::Told(None) => break None,
            Down::Failed(failure) => {
                crashes += 1;
                if let Some(order) = rest(&plugin, failure, crashes, &mut orders).await {
                    down = Down::Told(order);
                    continue;
                }
                Counts::add(&plugin.line.counts.restarts);
            }
        }
        let begun = Instant::now();
        down = round(&plugin, &shell, &mut orders).await;
        if begun.elapsed() >= WELL {
            crashes = 0;
        }
    };
    plugin.line.enter(now(), Phase::Asleep);
    if let Some(done) = done {
        // Whoever asked may not wait for it.
        done.send(()).unwrap_or_default();
    }
}

/// Nobody has needed it yet.
async fn asleep(plugin: &Plugin, orders: &mut mpsc::Receiver<Order>) -> Down {
    tokio::select! {
        () = plugin.line.wanted.notified() => Down::Told(Some(Order::Review)),
        order = orders.recv() => Down::Told(order),
    }
}

/// Once up and down again.
async fn round(plugin: &Plugin, shell: &Shell, orders: &mut mpsc::Receiver<Order>) -> Down {
    plugin.line.enter(now(), Phase::Starting);
    let coming = Box::pin(come_up(plugin, shell));
    let mut connected = tokio::select! {
        come = coming => match come {
            Ok(connected) => connected,
            Err(failure) => return Down::Failed(failure),
        },
        order = orders.recv() => return Down::Told(order),
    };
    let down = Box::pin(attend(plugin, &mut connected, orders)).await;
    // Calls on their way learn at once that nobody will answer, and new ones wait for what comes.
    plugin.line.enter(
        now(),
        match &down {
            Down::Failed(failure) => Phase::Waiting(failure.clone()),
            Down::Told(_) => Phase::Starting,
        },
    );
    connected.close().await;
    down
}

async fn come_up(plugin: &Plugin, shell: &Shell) -> Result<Connected, Failure> {
    let digests = plugin.digests(&shell.world.config().path).await?;
    let mut connected = connect(&plugin.line, &plugin.config, shell, plugin.speaks_old()).await?;
    plugin.met(connected.info().as_deref());
    if let Err(failure) = plugin.learn(&connected.peer, digests).await {
        // If it has gone, why it went says more.
        let gone = timeout(PAUSE, connected.gone()).await;
        connected.close().await;
        return Err(gone.unwrap_or(failure));
    }
    plugin.line.enter(now(), Phase::Ready(live(plugin, &connected)));
    Ok(connected)
}

fn live(plugin: &Plugin, connected: &Connected) -> Live {
    Live {
        peer: connected.peer.clone(),
        calls: connected.calls.clone(),
        offered: Arc::new(plugin.marks()),
    }
}

/// Watches it while it is up.
async fn attend(
    plugin: &Plugin,
    connected: &mut Connected,
    orders: &mut mpsc::Receiver<Order>,
) -> Down {
    let (peer, calls) = (connected.peer.clone(), connected.calls.clone());
    let (changed, flooded) = (connected.changed.clone(), connected.flooded.clone());
    let silent = silent(plugin, &peer, || calls.are_none());
    let heard = listen(plugin, &peer, &changed);
    tokio::pin!(silent, heard);
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Review) => {
                    plugin.line.enter(now(), Phase::Ready(live(plugin, connected)));
                }
                order => return Down::Told(order),
            },
            failure = connected.gone() => return Down::Failed(failure),
            failure = &mut silent => return Down::Failed(failure),
            () = flooded.notified() => {
                let why = "it floods us with messages that nobody asked for";
                return Down::Failed(plugin.line.unavailable(why));
            }
            () = &mut heard => {}
            () = changed.notified() => {
                sleep(CALM).await;
                if let Err(failure) = plugin.learn(&peer, plugin.digests_known()).await {
                    return Down::Failed(failure);
                }
                plugin.line.enter(now(), Phase::Ready(live(plugin, connected)));
            }
        }
    }
}

/// Comes back when it does not answer any more, though it has nothing to do.
async fn silent(plugin: &Plugin, peer: &Peer<RoleClient>, is_idle: impl Fn() -> bool) -> Failure {
    let mut misses = 0;
    while misses < MISSES_MAX {
        sleep(HEALTH_PAUSE).await;
        // Many work on one thing at a time; their calls have limits of their own.
        let answers = !is_idle() || timeout(HEALTH_MAX, ask(plugin, peer)).await.is_ok();
        misses = if answers { 0 } else { misses + 1 };
    }
    let message = format!("plugin `{}` does not answer any more", plugin.line.name);
    Failure::new(ErrorCode::ActionUnavailable, message)
}

/// Any answer is a sign of life.
async fn ask(plugin: &Plugin, peer: &Peer<RoleClient>) {
    if plugin.speaks_old() {
        drop(peer.send_request(ClientRequest::PingRequest(PingRequest::default())).await);
    } else {
        drop(peer.discover(RequestMetaObject::default()).await);
    }
}

/// Hears of changes from a server that tells them only to who subscribes. Never comes back.
async fn listen(plugin: &Plugin, peer: &Peer<RoleClient>, changed: &Notify) {
    if !plugin.speaks_old() {
        let wish = SubscriptionFilter::builder().tools_list_changed().build();
        if let Ok(mut subscription) = peer.listen(wish).await {
            while let Ok(Some(_)) = subscription.next().await {
                changed.notify_one();
            }
        }
    }
    std::future::pending::<()>().await;
}

/// Waits before it is started again, or until somebody says so. `None` if it is time.
async fn rest(
    plugin: &Plugin,
    failure: Failure,
    crashes: u32,
    orders: &mut mpsc::Receiver<Order>,
) -> Option<Option<Order>> {
    let is_hopeless = failure.code == ErrorCode::PluginChanged
        || (plugin.config.is_program() && crashes >= CRASHES_MAX);
    if is_hopeless {
        let name = &plugin.line.name;
        let cure = if failure.code == ErrorCode::PluginChanged {
            format!("look at it and say `opcode plugins approve {name}`")
        } else {
            format!("it went down {crashes} times in a row; `opcode plugins restart {name}`")
        };
        let message = format!("{}; {cure}", failure.message);
        plugin.line.enter(now(), Phase::Stopped(Failure { message: message.into(), ..failure }));
        return Some(orders.recv().await);
    }
    plugin.line.enter(now(), Phase::Waiting(failure));
    tokio::select! {
        () = sleep(pause(crashes)) => None,
        order = orders.recv() => Some(order),
    }
}

/// Between half and all of the pause that is due, so that not all come back at once.
fn pause(crashes: u32) -> Duration {
    let due = PAUSE.saturating_mul(2_u32.saturating_pow(crashes.saturating_sub(1))).min(PAUSE_MAX);
    let dice = u32::from(uuid::Uuid::new_v4().as_bytes()[0]);
    due / 2 + due.mul_f64(f64::from(dice) / 510.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_minute() {
        for (crashes, due) in [(1, 1), (2, 2), (5, 16), (7, 60), (1_000, 60)] {
            let (pause, due) = (pause(crashes), Duration::from_secs(due));
            assert!(pause >= due / 2 && pause <= due, "{crashes}: {pause:?}");
        }
    }
}
