import { join } from 'node:path';
import { type DynamicModule, Module } from '@nestjs/common';
import { CONFIG, type Config } from '../config/index.js';
import { BlobAccess } from './blob-access.js';
import { BlobDelivery } from './blob-delivery.js';
import { BlobReferences } from './blob-references.js';
import { BlobRemoval } from './blob-removal.js';
import { BLOB_STORE } from './blob-store.js';
import { BlobSweepProcessor } from './blob-sweep.processor.js';
import { BlobSweep } from './blob-sweep.service.js';
import { BlobsController } from './blobs.controller.js';
import { BlobsService } from './blobs.service.js';
import { Deliveries } from './deliveries.js';
import { DiskBlobStore } from './disk-blob-store.js';
import { ManifestSigner } from './manifest-signer.js';
import { OriginLine } from './origin-line.js';
import { OwnBlobs } from './own-blobs.js';
import { UploadRooms } from './upload-rooms.js';
import { Uploads } from './uploads.js';

/** Storing and finding content: what every role needs. */
@Module({
  providers: [
    BlobReferences,
    BlobRemoval,
    BlobsService,
    UploadRooms,
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
  exports: [BLOB_STORE, BlobReferences, BlobRemoval, BlobsService, ManifestSigner, UploadRooms],
})
export class BlobsModule {}

/** Removing what nobody needs. */
@Module({})
export class BlobSweepModule {
  /** @param role with `works` the process also works on the queue */
  static forRole({ works }: { readonly works: boolean }): DynamicModule {
    return {
      module: BlobSweepModule,
      imports: [BlobsModule],
      providers: [BlobSweep, ...(works ? [BlobSweepProcessor] : [])],
      exports: [BlobSweep],
    };
  }
}

/** Up- and downloads over HTTP. */
@Module({
  imports: [BlobsModule],
  controllers: [BlobsController],
  providers: [BlobAccess, BlobDelivery, Deliveries, OriginLine, OwnBlobs, Uploads],
  exports: [BlobAccess, Deliveries, Uploads],
})
export class BlobsApiModule {}
