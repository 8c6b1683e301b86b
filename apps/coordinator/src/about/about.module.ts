import { Module } from '@nestjs/common';
import { BlobsModule } from '../blobs/index.js';
import { AboutController } from './about.controller.js';

/** Who this coordinator is. */
@Module({ imports: [BlobsModule], controllers: [AboutController] })
export class AboutModule {}
