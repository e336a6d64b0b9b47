//! What only a folder can get wrong.

use std::os::unix::fs::symlink;

use super::{Put, assert_is, fetch, folder_place, limits, open};

#[tokio::test]
async fn links_are_followed_inside_and_not_out() {
    let place = folder_place();
    place.put("real/a.bin", b"inside").await;
    let outside = tempfile::tempdir().expect("a folder");
    std::fs::write(outside.path().join("secret.bin"), b"secret").expect("a file");
    let Put::File(root) = &place.put else {
        unreachable!("a folder");
    };
    let root = root.path();
    symlink(root.join("real"), root.join("inner")).expect("a link");
    symlink(outside.path(), root.join("outer")).expect("a link");
    symlink(outside.path().join("secret.bin"), root.join("leak.bin")).expect("a link");
    let origin = open(place.source.clone(), limits());
    let inner = fetch(&origin, "inner/a.bin").await.expect("an object");
    assert_eq!(inner.bytes, b"inside"[..]);
    for name in ["outer/secret.bin", "leak.bin"] {
        assert_is(&fetch(&origin, name).await, "NotFound");
    }
}

#[tokio::test]
async fn only_regular_files_are_objects() {
    let place = folder_place();
    place.put("a/b", b"x").await;
    let Put::File(root) = &place.put else {
        unreachable!("a folder");
    };
    // To open a socket or a pipe could wait for ever.
    let _socket = std::os::unix::net::UnixListener::bind(root.path().join("socket"));
    let origin = open(place.source.clone(), limits());
    for name in ["a", "a/b/c", "socket", &"n".repeat(300)] {
        assert_is(&fetch(&origin, name).await, "NotFound");
    }
}
