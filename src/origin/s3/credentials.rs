//! The keys that requests are signed with: given, or found by rust-s3's chain and kept fresh.
//!
//! rust-s3 renews temporary keys only once they have expired, with the request waiting; here a
//! task renews them well before, and requests only ever read.

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use s3::creds::Credentials;
use time::OffsetDateTime;
use tokio::{sync::Mutex, time::Instant};

use super::super::S3Settings;

/// Temporary keys are renewed so long before they expire, as Amazon's own clients do.
const RENEW_AHEAD: Duration = Duration::from_mins(5);

/// After a failure the chain is not asked again before that: each ask can take seconds.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// Keys that expire at once would keep the renewal spinning.
const RENEW_PAUSE: Duration = Duration::from_secs(1);

/// Finds keys; given the old ones, renews them. Blocks.
type Finder = dyn Fn(Option<&Credentials>) -> Result<Credentials, String> + Send + Sync;

/// The keys of one source.
pub(super) struct Keyring {
    keys: ArcSwapOption<Credentials>,
    /// `None`: the keys were given, and stay.
    finder: Option<Arc<Finder>>,
    last_try: Mutex<Option<(Instant, String)>>,
}

impl Keyring {
    /// The keys in the settings, or whatever the environment, the profile and the machine's role
    /// will give.
    pub(super) fn open(settings: &S3Settings) -> Result<Arc<Self>, String> {
        let (Some(access), Some(secret)) = (&settings.access_key, &settings.secret_key) else {
            return Ok(Self::finding(Arc::new(ask_chain)));
        };
        let token = settings
            .session_token
            .as_ref()
            .map(|token| token.0.as_str());
        let keys = Credentials::new(Some(access), Some(&secret.0), None, token, None);
        let keys = keys.map_err(|error| error.to_string())?;
        Ok(Arc::new(Self {
            keys: ArcSwapOption::from_pointee(keys),
            finder: None,
            last_try: Mutex::default(),
        }))
    }

    fn finding(finder: Arc<Finder>) -> Arc<Self> {
        Arc::new(Self {
            keys: ArcSwapOption::empty(),
            finder: Some(finder),
            last_try: Mutex::default(),
        })
    }

    /// The keys of the moment.
    pub(super) async fn current(self: &Arc<Self>) -> Result<Arc<Credentials>, String> {
        if let Some(keys) = self.keys.load_full() {
            return Ok(keys);
        }
        // In a task of its own: a fetch that gives up must not start the search anew.
        let keyring = self.clone();
        let found = tokio::spawn(async move { keyring.find(None).await }).await;
        found.map_err(|error| error.to_string()).flatten()
    }

    /// After the store called `stale` expired: other keys, if there are any.
    pub(super) async fn renewed(
        self: &Arc<Self>,
        stale: &Arc<Credentials>,
    ) -> Option<Arc<Credentials>> {
        let keys = self.find(Some(stale)).await.ok()?;
        (!Arc::ptr_eq(&keys, stale)).then_some(keys)
    }

    /// Asks the finder, one caller at a time; the others get what the first one found.
    async fn find(
        self: &Arc<Self>,
        stale: Option<&Arc<Credentials>>,
    ) -> Result<Arc<Credentials>, String> {
        let mut last_try = self.last_try.lock().await;
        if let Some(keys) = self.keys.load_full()
            && stale.is_none_or(|stale| !Arc::ptr_eq(stale, &keys))
        {
            return Ok(keys);
        }
        if let Some((when, error)) = &*last_try
            && when.elapsed() < ASK_AGAIN
        {
            return Err(error.clone());
        }
        let finder = self
            .finder
            .clone()
            .ok_or("the keys were given, and are final")?;
        let old = stale.cloned();
        let first = self.keys.load().is_none();
        let found = tokio::task::spawn_blocking(move || finder(old.as_deref())).await;
        match found.map_err(|error| error.to_string()).flatten() {
            Ok(keys) => {
                let keys = Arc::new(keys);
                self.keys.store(Some(keys.clone()));
                *last_try = Some((Instant::now(), "the keys were renewed just now".to_owned()));
                if first && keys.expiration.is_some() {
                    self.start_renewal();
                }
                Ok(keys)
            }
            Err(error) => {
                *last_try = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    fn start_renewal(self: &Arc<Self>) {
        tokio::spawn(keep_fresh(Arc::downgrade(self)));
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyring(…)")
    }
}

/// Renews the keys before they expire, for as long as anybody holds them.
async fn keep_fresh(keyring: Weak<Keyring>) {
    loop {
        let pause = match keyring
            .upgrade()
            .and_then(|keyring| keyring.keys.load_full())
        {
            Some(keys) => match keys.expiration {
                Some(expiration) => until_renewal(expiration.0),
                None => return,
            },
            None => return,
        };
        tokio::time::sleep(pause).await;
        let Some(keyring) = keyring.upgrade() else {
            return;
        };
        let Some(keys) = keyring.keys.load_full() else {
            return;
        };
        if let Err(error) = keyring.find(Some(&keys)).await {
            tracing::warn!(error, "the credentials could not be renewed; trying again");
            drop(keyring);
            tokio::time::sleep(ASK_AGAIN).await;
        }
    }
}

/// Five minutes ahead; keys that live shorter than twice that, at half of what they have left.
fn until_renewal(expiration: OffsetDateTime) -> Duration {
    let left = expiration - OffsetDateTime::now_utc();
    let left = Duration::try_from(left).unwrap_or(Duration::ZERO);
    let ahead = RENEW_AHEAD.min(left / 2);
    left.saturating_sub(ahead).max(RENEW_PAUSE)
}

/// rust-s3's chain: environment, profile, web identity, container, instance.
fn ask_chain(stale: Option<&Credentials>) -> Result<Credentials, String> {
    if let Some(stale) = stale {
        let mut keys = stale.clone();
        // rust-s3 asks the source again only for keys that have expired: say that they have.
        keys.expiration = keys.expiration.map(|_| OffsetDateTime::UNIX_EPOCH.into());
        if keys.expiration.is_some() && keys.refresh().is_ok() {
            return Ok(keys);
        }
    }
    Credentials::default().map_err(|_| {
        "no credentials: neither `access_key` is set, nor does the environment, the profile or \
         the machine's role give any"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    fn keys(name: &str, lives: Option<Duration>) -> Credentials {
        let mut keys = Credentials::new(Some(name), Some("secret"), None, None, None)
            .expect("given keys are taken");
        keys.expiration = lives.map(|lives| (OffsetDateTime::now_utc() + lives).into());
        keys
    }

    /// Gives keys called 1, 2, 3 …
    fn counting(lives: Option<Duration>) -> (Arc<Keyring>, Arc<AtomicU32>) {
        let asked = Arc::new(AtomicU32::new(0));
        let count = asked.clone();
        let keyring = Keyring::finding(Arc::new(move |_| {
            let name = count.fetch_add(1, Ordering::SeqCst) + 1;
            Ok(keys(&name.to_string(), lives))
        }));
        (keyring, asked)
    }

    async fn name(keyring: &Arc<Keyring>) -> Option<String> {
        keyring.current().await.ok()?.access_key.clone()
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_found_once_and_kept() {
        let (keyring, asked) = counting(None);
        let both = tokio::join!(name(&keyring), name(&keyring));
        assert_eq!(both, (Some("1".to_owned()), Some("1".to_owned())));
        tokio::time::sleep(Duration::from_hours(24)).await;
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn temporary_keys_are_renewed_before_they_expire() {
        let (keyring, asked) = counting(Some(Duration::from_hours(1)));
        assert_eq!(name(&keyring).await.as_deref(), Some("1"));
        tokio::time::sleep(Duration::from_secs(3600 - 301)).await;
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        assert_eq!(name(&keyring).await.as_deref(), Some("2"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_chain_that_fails_is_left_alone_for_a_while() {
        let asked = Arc::new(AtomicU32::new(0));
        let count = asked.clone();
        let keyring = Keyring::finding(Arc::new(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            Err("nothing found".to_owned())
        }));
        for _ in 0..5 {
            assert_eq!(
                keyring.current().await.err().as_deref(),
                Some("nothing found")
            );
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        tokio::time::advance(ASK_AGAIN).await;
        assert!(keyring.current().await.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_the_store_calls_expired_are_replaced() {
        let (keyring, _) = counting(None);
        let old = keyring.current().await.expect("keys");
        tokio::time::advance(ASK_AGAIN).await;
        let new = keyring.renewed(&old).await.expect("other keys");
        assert_eq!(new.access_key.as_deref(), Some("2"));
        // Somebody else found out at the same time: the new keys are there already.
        let same = keyring.renewed(&old).await.expect("other keys");
        assert!(Arc::ptr_eq(&new, &same));
    }

    #[tokio::test]
    async fn given_keys_are_final() {
        let settings = S3Settings {
            access_key: Some("AK".to_owned()),
            secret_key: Some(crate::origin::Secret("SK".to_owned())),
            ..S3Settings::default()
        };
        let keyring = Keyring::open(&settings).expect("given keys are taken");
        let keys = keyring.current().await.expect("keys");
        assert_eq!(keys.access_key.as_deref(), Some("AK"));
        assert!(keyring.renewed(&keys).await.is_none());
        assert!(!format!("{keyring:?}").contains("SK"));
    }

    #[test]
    fn short_lives_are_renewed_halfway() {
        let soon = OffsetDateTime::now_utc() + Duration::from_mins(1);
        let pause = until_renewal(soon).as_secs();
        assert!((29..=30).contains(&pause), "{pause}");
        let past = OffsetDateTime::UNIX_EPOCH;
        assert_eq!(until_renewal(past), RENEW_PAUSE);
    }
}
