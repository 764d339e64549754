//! What an isolated program cannot do: one attempt to escape a test, with the way that would have worked outside.
//!
//! Keeps: where the probe says that the machine can hold something, it is held, or the test fails; where it says not,
//! the lack is named in the plan.
//! Not here: how much a program may use (`limits.rs`).

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};

use opcode_model::Profile;
use opcode_sandbox::policy::{Demand, Mechanism, Plan};
use opcode_sandbox::{ExecEnd, ExecFault, ExecLimits, ExecOutcome, ExecSpec, Stop};

use crate::kit::{exec, sh, within};

/// What isolation rests on.
const LOCKS: [Mechanism; 5] = [
    Mechanism::Namespaces,
    Mechanism::PrivateNetwork,
    Mechanism::OwnProc,
    Mechanism::Landlock,
    Mechanism::SyscallFilter,
];

fn isolated() -> Demand {
    Demand { profile: Profile::Isolated, ..Demand::default() }
}

async fn plan(demand: Demand) -> Plan {
    within(exec().plan(demand)).await.unwrap()
}

/// Whether this machine can isolate whole. If not, what it lacks must be what the plan names.
async fn can() -> bool {
    let exec = exec();
    let host = within(exec.host()).await.unwrap();
    let lacking: Vec<Mechanism> = LOCKS.into_iter().filter(|lock| !host.can(*lock)).collect();
    let plan = plan(isolated()).await;
    for lack in &lacking {
        assert!(plan.degraded.iter().any(|it| it.mechanism == *lack), "{lack:?} is not named");
    }
    lacking.is_empty()
}

/// Others' tools say what a machine can do; what they can, the probe must have found.
#[tokio::test]
async fn the_probe_finds_what_others_find() {
    let exec = exec();
    let host = within(exec.host()).await.unwrap();
    let works = |lock| host.can(lock);
    let apart = "--user --map-root-user --mount --pid --fork --net --ipc --uts --mount-proc";
    let others = crate::kit::run(&format!("unshare {apart} true")).await.unwrap();
    if others.end == ExecEnd::Exited(0) {
        let locks = [Mechanism::Namespaces, Mechanism::PrivateNetwork, Mechanism::OwnProc];
        assert!(locks.into_iter().all(works), "{host:?}");
    }
    if fs::read_to_string("/proc/self/status").unwrap().contains("\nSeccomp:") {
        assert!(works(Mechanism::SyscallFilter), "{host:?}");
    }
    if fs::read_to_string("/proc/kallsyms").unwrap_or_default().contains("landlock_restrict_self") {
        assert!(works(Mechanism::Landlock), "{host:?}");
    }
    let root = rustix::process::geteuid().is_root();
    for (group, mechanism) in [
        ("/sys/fs/cgroup/memory/cgroup.procs", Mechanism::MemoryLimit),
        ("/sys/fs/cgroup/pids/cgroup.procs", Mechanism::PidsLimit),
        ("/sys/fs/cgroup/unified/cgroup.procs", Mechanism::CpuMeter),
    ] {
        let is_ours = root && fs::OpenOptions::new().write(true).open(group).is_ok();
        assert!(!is_ours || works(mechanism), "{mechanism:?}: {host:?}");
    }
}

async fn run_in(demand: Demand, script: &str) -> Result<ExecOutcome, ExecFault> {
    let spec = ExecSpec { plan: plan(demand).await.into(), ..sh(script) };
    within(exec().run(&spec, b"", &ExecLimits::default(), &Stop::never())).await
}

fn text(outcome: &ExecOutcome) -> String {
    String::from_utf8_lossy(&outcome.stdout.bytes).into_owned()
        + &String::from_utf8_lossy(&outcome.stderr.bytes)
}

/// Runs a script that must come to its end and say exactly this.
async fn says(demand: Demand, script: &str, said: &str) {
    let outcome = run_in(demand, script).await.unwrap();
    assert_eq!((text(&outcome).as_str(), outcome.end), (said, ExecEnd::Exited(0)), "{script}");
}

/// Runs a script that must fail without the word.
async fn never_says(demand: Demand, script: &str, word: &str) {
    let outcome = run_in(demand, script).await.unwrap();
    let said = text(&outcome);
    assert!(!said.contains(word) && outcome.end != ExecEnd::Exited(0), "{script}: {said}");
}

fn real(dir: &Path) -> PathBuf {
    dir.canonicalize().unwrap()
}

#[tokio::test]
async fn a_program_runs_in_a_room_of_its_own() {
    if !can().await {
        return;
    }
    says(
        isolated(),
        "pwd; hostname 2>/dev/null || cat /proc/sys/kernel/hostname",
        "/box\nopcode\n",
    )
    .await;
    says(isolated(), "echo x > /box/a && echo y > /tmp/b && cat /box/a /tmp/b", "x\ny\n").await;
    says(isolated(), "echo gone > /dev/null; head -c 3 /dev/zero | wc -c", "3\n").await;
    let outcome = run_in(isolated(), "exit 7").await.unwrap();
    assert_eq!(outcome.end, ExecEnd::Exited(7));
    let outcome = run_in(isolated(), "kill -9 $$").await.unwrap();
    assert_eq!(outcome.end, ExecEnd::Signalled(9));
}

#[tokio::test]
async fn its_private_space_has_an_end() {
    if !can().await {
        return;
    }
    never_says(isolated(), "head -c 300000000 /dev/zero > /tmp/filler && echo done", "done").await;
}

#[tokio::test]
async fn it_reads_no_file_of_the_host_but_the_system() {
    if !can().await {
        return;
    }
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("secret"), "SECRET").unwrap();
    let path = outside.path().display().to_string();
    never_says(isolated(), &format!("cat {path}/secret"), "SECRET").await;
    never_says(isolated(), "cat /etc/shadow", "root").await;
    for dir in ["/root", "/home", "/var", "/sys", "/boot", "/run"] {
        never_says(isolated(), &format!("ls -d {dir}"), "\n/").await;
    }
    says(isolated(), "ls / | tr '\\n' ' ' | grep -o 'oldroot\\|root\\|home' | wc -l", "0\n").await;
}

#[tokio::test]
async fn it_changes_nothing_of_the_system() {
    if !can().await {
        return;
    }
    for path in ["/usr/opcode-was-here", "/etc/opcode-was-here", "/opcode-was-here", "/bin/x"] {
        never_says(isolated(), &format!("touch {path} && echo done"), "done").await;
    }
    never_says(isolated(), "mount -o remount,rw /usr && echo done", "done").await;
    never_says(isolated(), "chmod 777 /usr && echo done", "done").await;
}

#[tokio::test]
async fn it_sees_what_it_is_given_and_changes_only_what_it_may() {
    if !can().await {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = real(dir.path());
    fs::create_dir_all(dir.join("in/out")).unwrap();
    fs::write(dir.join("in/file"), "seen").unwrap();
    let demand =
        Demand { read: vec![dir.join("in")], write: vec![dir.join("in/out")], ..isolated() };
    let at = dir.join("in").display().to_string();
    says(demand.clone(), &format!("cat {at}/file; echo new > {at}/out/made"), "seen").await;
    assert_eq!(fs::read_to_string(dir.join("in/out/made")).unwrap(), "new\n");
    never_says(demand.clone(), &format!("echo x > {at}/file && echo done"), "done").await;
    fs::write(dir.join("beside"), "").unwrap();
    says(demand.clone(), &format!("ls {}", dir.display()), "in\n").await;
    // It works where it may change something, and sees nothing beside what was given.
    let spec = ExecSpec {
        cwd: Some(dir.join("in/out")),
        plan: plan(demand).await.into(),
        ..sh("pwd; cat made")
    };
    let outcome = within(exec().run(&spec, b"", &ExecLimits::default(), &Stop::never())).await;
    assert_eq!(text(&outcome.unwrap()), format!("{at}/out\nnew\n"));
    assert_eq!(fs::read_to_string(dir.join("in/file")).unwrap(), "seen");
}

#[tokio::test]
async fn a_path_through_a_link_is_refused_and_a_race_shows_nothing_else() {
    if !can().await {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = real(dir.path());
    fs::create_dir_all(dir.join("real")).unwrap();
    fs::create_dir_all(dir.join("secret")).unwrap();
    fs::write(dir.join("real/file"), "REAL").unwrap();
    fs::write(dir.join("secret/file"), "SECRET").unwrap();
    symlink(dir.join("secret"), dir.join("link")).unwrap();
    let demand = |name: &str| Demand { write: vec![dir.join(name)], ..isolated() };
    let fault = run_in(demand("link"), "true").await.unwrap_err();
    assert!(fault.to_string().contains("symbolic link"), "{fault}");
    // Somebody exchanges the directory for the link as fast as he can.
    let (from, to) = (dir.join("real"), dir.join("link"));
    let racing = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let racer = std::thread::spawn({
        let racing = racing.clone();
        move || {
            while racing.load(std::sync::atomic::Ordering::Relaxed) {
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                rustix::fs::renameat_with(rustix::fs::CWD, &from, rustix::fs::CWD, &to, flags)
                    .unwrap();
            }
        }
    });
    let script = format!("cat {}/real/file", dir.display());
    for _ in 0..50 {
        if let Ok(outcome) = run_in(demand("real"), &script).await {
            assert!(!text(&outcome).contains("SECRET"), "{}", text(&outcome));
        }
    }
    racing.store(false, std::sync::atomic::Ordering::Relaxed);
    racer.join().unwrap();
}

#[tokio::test]
async fn it_sees_no_process_but_its_own_and_nothing_of_the_helper() {
    if !can().await {
        return;
    }
    let me = std::process::id();
    says(isolated(), "cd /proc; echo [0-9]*", "1 2\n").await;
    never_says(isolated(), &format!("cat /proc/{me}/environ"), "PATH").await;
    never_says(isolated(), &format!("kill -0 {me}"), "done").await;
    // The first process is the helper's own: its descriptors are not for those below it.
    never_says(isolated(), "ls -l /proc/1/fd/ && echo seen", "seen").await;
    never_says(isolated(), "cat /proc/1/environ && echo seen", "seen").await;
    says(isolated(), "kill -9 1 2>/dev/null; echo alive", "alive\n").await;
    says(isolated(), "ls /proc/self/fd | tr '\\n' ' '", "0 1 2 3 ").await;
    // Also root has no hand on the kernel's switches. (A value that is there already does no harm.)
    let switch =
        "cat /proc/sys/kernel/panic > /tmp/was; cat /tmp/was > /proc/sys/kernel/panic && echo done";
    never_says(isolated(), switch, "done").await;
    says(isolated(), "cat /proc/kcore /proc/keys /proc/slabinfo 2>/dev/null | wc -c", "0\n").await;
}

#[tokio::test]
async fn it_reaches_no_socket_of_the_host() {
    if !can().await {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = real(dir.path());
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_nonblocking(true).unwrap();
    let path = dir.join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let name = format!("opcode-test-{}", std::process::id());
    let hidden = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
    let perl = |code: &str| format!("perl -MSocket -e '{code}'");
    let port = tcp.local_addr().unwrap().port();
    let connect = perl(&format!(
        "socket(S, PF_INET, SOCK_STREAM, 0) or die; connect(S, sockaddr_in({port}, inet_aton(\"127.0.0.1\"))) or die; print \"connected\""
    ));
    let send = perl(&format!(
        "socket(S, PF_INET, SOCK_DGRAM, 0) or die; send(S, \"hello\", 0, sockaddr_in({}, inet_aton(\"127.0.0.1\"))) or die; print \"sent\"",
        udp.local_addr().unwrap().port()
    ));
    let unix = |address: &str| {
        perl(&format!(
            "socket(S, PF_UNIX, SOCK_STREAM, 0) or die; connect(S, sockaddr_un({address})) or die; print \"connected\""
        ))
    };
    let file = unix(&format!("\"{}\"", path.display()));
    let abstract_name = unix(&format!("\"\\0{name}\""));
    for script in [&connect, &file, &abstract_name] {
        // The same script works outside, so what stops it is the sandbox.
        says(Demand::default(), script, "connected").await;
        never_says(isolated(), script, "connected").await;
    }
    says(Demand::default(), &send, "sent").await;
    let mut heard = [0; 16];
    assert_eq!(udp.recv(&mut heard).unwrap(), 5);
    let sent = run_in(isolated(), &send).await.unwrap();
    assert!(udp.recv(&mut heard).is_err(), "a datagram came out: {}", text(&sent));
    never_says(isolated(), &perl("socket(S, PF_INET, SOCK_RAW, 1) or die; print \"raw\""), "raw")
        .await;
    // With the host's network it reaches what listens there, and still not what is hidden.
    let open = Demand { network: true, ..isolated() };
    says(open.clone(), &connect, "connected").await;
    never_says(open, &abstract_name, "connected").await;
    drop((listener, hidden));
}

#[tokio::test]
async fn its_own_loopback_works() {
    if !can().await {
        return;
    }
    let script = "perl -MSocket -e 'socket(L, PF_INET, SOCK_STREAM, 0); bind(L, sockaddr_in(0, INADDR_LOOPBACK)) or die; listen(L, 1); \
                  socket(S, PF_INET, SOCK_STREAM, 0); connect(S, getsockname(L)) or die \"$!\"; print \"heard\"'";
    says(isolated(), script, "heard").await;
}

#[tokio::test]
async fn it_makes_no_call_that_reaches_for_the_kernel() {
    if !can().await {
        return;
    }
    for script in [
        "mount -t tmpfs x /tmp",
        "unshare -r true",
        "unshare -m true",
        "/usr/sbin/chroot / true",
        "perl -e 'syscall(321, 0, 0, 0) >= 0 or die $!'", // bpf
        "perl -e 'syscall(425, 1, 0) >= 0 or die $!'",    // io_uring_setup
        "perl -e 'syscall(101, 0, 0, 0, 0) >= 0 or die $!'", // ptrace
        "perl -e 'syscall(323, 0) >= 0 or die $!'",       // userfaultfd
        "perl -e 'syscall(250, 0, 0, 0, 0) >= 0 or die $!'", // keyctl
        "perl -e 'syscall(304, 0, 0, 0) >= 0 or die $!'", // open_by_handle_at
        "perl -e 'syscall(165 | 0x40000000, 0, 0, 0, 0, 0) >= 0 or die $!'", // mount, by its other number
        "perl -e 'syscall(56, 0x10000000, 0, 0, 0, 0) >= 0 or die $!'",      // clone(CLONE_NEWUSER)
    ] {
        let outcome = run_in(isolated(), script).await.unwrap();
        let said = text(&outcome);
        assert_ne!(outcome.end, ExecEnd::Exited(0), "{script}: {said}");
        assert!(!said.contains("not found"), "{script} was not even tried: {said}");
    }
    // The call that libraries prefer is answered so that they take the one that can be judged.
    let clone3 = "perl -e 'syscall(435, 0, 0) >= 0 or print int($!)'";
    says(isolated(), clone3, "38").await;
}

#[tokio::test]
async fn it_has_no_rights_and_gains_none() {
    if !can().await {
        return;
    }
    let script = "grep -E '^(CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\t'";
    let none = "0000000000000000";
    let said = format!(
        "CapInh:{none}\nCapPrm:{none}\nCapEff:{none}\nCapBnd:{none}\nCapAmb:{none}\nNoNewPrivs:1\nSeccomp:2\n"
    );
    says(isolated(), script, &said).await;
    says(isolated(), "findmnt -no OPTIONS /usr 2>/dev/null | grep -o nosuid || grep -E ' /usr ' /proc/self/mounts | grep -o nosuid", "nosuid\n").await;
}

#[tokio::test]
async fn a_session_of_its_own_does_not_outlive_it() {
    if !can().await {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = real(dir.path());
    let demand = Demand { write: vec![dir.clone()], ..isolated() };
    let pulse = crate::kit::Pulse::new(&dir);
    let gate = pulse.gate();
    let script = pulse.script(&format!("cat {}; echo over", gate.display()));
    let running = tokio::spawn(async move { run_in(demand, &script).await });
    let beating = pulse.beats().await;
    crate::kit::open(gate).await;
    assert_eq!(text(&within(running).await.unwrap().unwrap()), "over\n");
    beating.ends().await;
}

#[tokio::test]
async fn it_has_no_terminal() {
    if !can().await {
        return;
    }
    // A session leader without a terminal: fields 6 and 7 of its line.
    let script = "cut -d' ' -f1,6,7 /proc/$$/stat; exec 3</dev/tty && echo opened";
    let outcome = run_in(isolated(), script).await.unwrap();
    let said = text(&outcome);
    assert!(said.starts_with("2 2 0\n") && !said.contains("opened"), "{said}");
}

/// Nobody's set-user-id program could be killed, but everything else is.
#[tokio::test]
async fn without_a_profile_privileges_may_be_gained_and_the_tree_still_dies() {
    let none = || Demand { profile: Profile::None, ..Demand::default() };
    let own = fs::read_to_string("/proc/self/status").unwrap();
    let own = own.lines().find(|line| line.starts_with("NoNewPrivs:")).unwrap();
    says(none(), "grep NoNewPrivs: /proc/self/status", &format!("{own}\n")).await;
    says(Demand::default(), "grep NoNewPrivs: /proc/self/status", "NoNewPrivs:\t1\n").await;
    let dir = tempfile::tempdir().unwrap();
    let pulse = crate::kit::Pulse::new(dir.path());
    let gate = pulse.gate();
    let script = pulse.script(&format!("cat {}; echo over", gate.display()));
    let running = tokio::spawn(async move { run_in(none(), &script).await });
    let beating = pulse.beats().await;
    crate::kit::open(gate).await;
    assert_eq!(text(&within(running).await.unwrap().unwrap()), "over\n");
    beating.ends().await;
}

#[tokio::test]
async fn strict_is_whole_or_refused() {
    let strict = Demand { profile: Profile::Strict, ..Demand::default() };
    match (can().await, within(exec().plan(strict)).await) {
        (true, Ok(plan)) => {
            assert!(plan.degraded.is_empty() && plan.effective == Profile::Strict);
            let spec = ExecSpec { plan: plan.into(), ..sh("echo strict") };
            let outcome = exec().run(&spec, b"", &ExecLimits::default(), &Stop::never()).await;
            assert_eq!(text(&outcome.unwrap()), "strict\n");
        }
        (false, Err(ExecFault::Refused(_))) => {}
        (can, came) => panic!("{can} {came:?}"),
    }
}

/// The second-best: what Landlock and the filter hold where there are no namespaces.
#[tokio::test]
async fn without_namespaces_files_and_calls_are_still_held() {
    let exec = exec();
    let host = within(exec.host()).await.unwrap();
    if !host.can(Mechanism::Landlock) || !host.can(Mechanism::SyscallFilter) {
        return;
    }
    let lame = opcode_sandbox::policy::Host::new(Mechanism::ALL.into_iter().filter_map(|it| {
        let is_there = !matches!(it, Mechanism::Namespaces);
        is_there.then(|| host.ability(it).cloned().map(|ability| (it, ability))).flatten()
    }));
    let plan = opcode_sandbox::policy::plan(isolated(), &lame).unwrap();
    assert_eq!(plan.effective, Profile::Process);
    let dir = tempfile::Builder::new().tempdir_in("/var/tmp").unwrap();
    fs::write(dir.path().join("secret"), "SECRET").unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let script = format!(
        "cat {}/secret; cat /etc/shadow | head -c 4; unshare -r true && echo unshared; \
         perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0); connect(S, sockaddr_in({}, INADDR_LOOPBACK)) and print \"connected\"'; \
         echo end",
        dir.path().display(),
        tcp.local_addr().unwrap().port()
    );
    let spec = ExecSpec { plan: plan.into(), ..sh(&script) };
    let outcome = within(exec.run(&spec, b"", &ExecLimits::default(), &Stop::never())).await;
    let outcome = outcome.unwrap();
    assert_eq!(outcome.stdout.bytes, b"end\n", "{}", text(&outcome));
}
