//! Work that outlives the request that asked for it, such as a report: few run at once, not many wait, and none runs twice at a time.

use crate::last_used::LastUsed;
use crate::slow::Busy;
use access::Access;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// What such work may touch.
#[derive(Clone)]
pub struct Outliving {
    /// The data plane, and with it the store and the clock.
    pub access: Arc<Access>,
    /// When credentials were last used.
    pub last_used: Arc<LastUsed>,
}

impl Outliving {
    /// Lets others on. Reading does not wait for anything, so long work rests between its parts.
    pub async fn rest(&self) {
        tokio::task::yield_now().await;
    }
}

/// Whether work was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It was.
    Now,
    /// It had been before, and is not done.
    Already,
}

/// Those that run, and those that wait.
pub struct Tasks {
    places: Arc<Semaphore>,
    names: Arc<Mutex<HashSet<String>>>,
    most: usize,
}

impl Tasks {
    /// `at_once` run, and no more than `most` are there.
    pub fn new(at_once: usize, most: usize) -> Self {
        Tasks { places: Arc::new(Semaphore::new(at_once)), names: Arc::default(), most }
    }

    /// Begins `work`, unless work of this name is not done yet.
    pub fn begin(&self, name: &str, work: impl Future<Output = ()> + Send + 'static) -> Result<Begun, Busy> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.contains(name) {
            return Ok(Begun::Already);
        }
        if names.len() >= self.most {
            return Err(Busy);
        }
        names.insert(name.to_owned());
        drop(names);
        let named = Named { name: name.to_owned(), names: self.names.clone() };
        let places = self.places.clone();
        tokio::spawn(async move {
            let _named = named;
            if let Ok(_place) = places.acquire().await {
                work.await;
            }
        });
        Ok(Begun::Now)
    }

    /// Whether work of this name is not done yet.
    pub fn is_running(&self, name: &str) -> bool {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}

/// Work that has begun. Its name is free again when it ends, however it does.
struct Named {
    name: String,
    names: Arc<Mutex<HashSet<String>>>,
}

impl Drop for Named {
    fn drop(&mut self) {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn work_of_one_name_runs_once_at_a_time_and_the_queue_is_short() {
        let tasks = Tasks::new(1, 2);
        let (open, gate) = oneshot::channel::<()>();
        let (done, ended) = oneshot::channel::<()>();
        let first = tasks.begin("a", async move { gate.await.unwrap() });
        assert_eq!(first, Ok(Begun::Now));
        assert_eq!(tasks.begin("a", async {}), Ok(Begun::Already));
        assert_eq!(tasks.begin("b", async move { done.send(()).unwrap() }), Ok(Begun::Now));
        assert_eq!(tasks.begin("c", async {}), Err(Busy));
        assert!(tasks.is_running("a") && tasks.is_running("b") && !tasks.is_running("c"));
        open.send(()).unwrap();
        ended.await.unwrap();
        while tasks.is_running("a") || tasks.is_running("b") {
            tokio::task::yield_now().await;
        }
        assert_eq!(tasks.begin("a", async {}), Ok(Begun::Now), "its name is free again");
    }

    #[tokio::test]
    async fn work_that_panics_leaves_its_name_and_its_place() {
        let tasks = Tasks::new(1, 1);
        assert_eq!(tasks.begin("a", async { panic!("as it happens") }), Ok(Begun::Now));
        while tasks.is_running("a") {
            tokio::task::yield_now().await;
        }
        let (done, ended) = oneshot::channel::<()>();
        assert_eq!(tasks.begin("a", async move { done.send(()).unwrap() }), Ok(Begun::Now));
        ended.await.unwrap();
    }
}
