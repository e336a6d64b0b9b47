//! The objects, and the part of S3 that reads and writes them.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::SystemTime,
};

use bytes::Bytes;
use futures_util::stream;
use s3s::{
    S3, S3Request, S3Response, S3Result,
    dto::{
        ETag, ETagCondition, GetObjectInput, GetObjectOutput, HeadBucketInput, HeadBucketOutput,
        HeadObjectInput, HeadObjectOutput, ListObjectsV2Input, ListObjectsV2Output, PutObjectInput,
        PutObjectOutput, StreamingBlob, Timestamp,
    },
    s3_error,
};

use super::BUCKET;

/// An object and its metadata.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    /// All of it.
    pub(crate) bytes: Bytes,
    /// Without quotes.
    pub(crate) etag: String,
    /// When it was put there.
    pub(crate) last_modified: SystemTime,
    /// `Cache-Control`, as metadata.
    pub(crate) cache_control: Option<String>,
    /// `Content-Encoding`, as metadata.
    pub(crate) content_encoding: Option<String>,
}

impl Object {
    /// An object without metadata.
    pub(crate) fn new(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self {
            etag: blake3::hash(&bytes).to_hex()[..32].to_owned(),
            bytes,
            last_modified: SystemTime::now(),
            cache_control: None,
            content_encoding: None,
        }
    }
}

/// All objects of the one bucket.
#[derive(Clone, Default)]
pub(super) struct Store(Arc<Mutex<BTreeMap<String, Object>>>);

impl Store {
    pub(super) fn put(&self, key: &str, object: Object) {
        self.objects().insert(key.to_owned(), object);
    }

    pub(super) fn remove(&self, key: &str) {
        self.objects().remove(key);
    }

    pub(super) fn get(&self, key: &str) -> Option<Object> {
        self.objects().get(key).cloned()
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Object>> {
        self.0.lock().expect("no test panics in here")
    }

    fn find(
        &self,
        bucket: &str,
        key: &str,
        if_none_match: Option<&ETagCondition>,
    ) -> S3Result<Object> {
        if bucket != BUCKET {
            return Err(s3_error!(NoSuchBucket));
        }
        let object = self.get(key).ok_or_else(|| s3_error!(NoSuchKey))?;
        let held = if_none_match.and_then(ETagCondition::as_etag);
        if held.is_some_and(|held| held.value() == object.etag) {
            return Err(s3_error!(NotModified));
        }
        Ok(object)
    }
}

#[async_trait::async_trait]
impl S3 for Store {
    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let input = request.input;
        let object = self.find(&input.bucket, &input.key, input.if_none_match.as_ref())?;
        let length = i64::try_from(object.bytes.len()).ok();
        let bytes = object.bytes.clone();
        let body = stream::once(std::future::ready(Ok::<_, std::io::Error>(bytes)));
        Ok(S3Response::new(GetObjectOutput {
            body: Some(StreamingBlob::wrap(body)),
            content_length: length,
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(Timestamp::from(object.last_modified)),
            cache_control: object.cache_control,
            content_encoding: object.content_encoding,
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let input = request.input;
        let object = self.find(&input.bucket, &input.key, input.if_none_match.as_ref())?;
        Ok(S3Response::new(HeadObjectOutput {
            content_length: i64::try_from(object.bytes.len()).ok(),
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(Timestamp::from(object.last_modified)),
            ..HeadObjectOutput::default()
        }))
    }

    async fn head_bucket(
        &self,
        request: S3Request<HeadBucketInput>,
    ) -> S3Result<S3Response<HeadBucketOutput>> {
        if request.input.bucket != BUCKET {
            return Err(s3_error!(NoSuchBucket));
        }
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        if request.input.bucket != BUCKET {
            return Err(s3_error!(NoSuchBucket));
        }
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(BUCKET.to_owned()),
            key_count: Some(0),
            ..ListObjectsV2Output::default()
        }))
    }

    async fn put_object(
        &self,
        request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        let body = match input.body {
            Some(body) => http_body_util::BodyExt::collect(s3s::Body::from(body))
                .await
                .map_err(|error| s3_error!(InternalError, "{error}"))?
                .to_bytes(),
            None => Bytes::new(),
        };
        let object = Object {
            cache_control: input.cache_control,
            content_encoding: input.content_encoding,
            ..Object::new(body)
        };
        let e_tag = Some(ETag::Strong(object.etag.clone()));
        self.put(&input.key, object);
        Ok(S3Response::new(PutObjectOutput {
            e_tag,
            ..PutObjectOutput::default()
        }))
    }
}
