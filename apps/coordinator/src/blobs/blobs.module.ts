import { join } from 'node:path';
import { Module } from '@nestjs/common';
import { CONFIG, type Config } from '../config/index.js';
import { BlobAccess } from './blob-access.js';
import { BlobReferences } from './blob-references.js';
import { BLOB_STORE } from './blob-store.js';
import { BlobsController } from './blobs.controller.js';
import { BlobsService } from './blobs.service.js';
import { DiskBlobStore } from './disk-blob-store.js';
import { ManifestSigner } from './manifest-signer.js';
import { Uploads } from './uploads.js';

/** Storing and finding content: what every role needs. */
@Module({
  providers: [
    BlobReferences,
    BlobsService,
    {
      provide: BLOB_STORE,
      useFactory: (config: Config) => DiskBlobStore.open(join(config.dataDir, 'blobs')),
      inject: [CONFIG],
    },
    {
      provide: ManifestSigner,
      useFactory: (config: Config) => ManifestSigner.open(config.dataDir),
      inject: [CONFIG],
    },
  ],
  exports: [BLOB_STORE, BlobReferences, BlobsService, ManifestSigner],
})
export class BlobsModule {}

/** Up- and downloads over HTTP. */
@Module({
  imports: [BlobsModule],
  controllers: [BlobsController],
  providers: [BlobAccess, Uploads],
  exports: [Uploads],
})
export class BlobsApiModule {}
