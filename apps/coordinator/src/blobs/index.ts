export { BlobEntity } from './blob.entity.js';
export { BlobReferences, type BlobOwner, type BlobUse } from './blob-references.js';
export { BLOB_STORE, type BlobStore, type ByteRange } from './blob-store.js';
export { BlobSweep } from './blob-sweep.service.js';
export { BlobsApiModule, BlobsModule, BlobSweepModule } from './blobs.module.js';
export { BlobsService, KEEP_UNREFERENCED_DAYS, type StoredBlob, type StoreOptions } from './blobs.service.js';
export { ManifestSigner } from './manifest-signer.js';
export { IMMUTABLE_PRIVATE, IMMUTABLE_PUBLIC, sendContent, type Content } from './send-content.js';
export { Uploads } from './uploads.js';
