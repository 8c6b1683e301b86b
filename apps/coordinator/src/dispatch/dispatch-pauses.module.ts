import { Module } from '@nestjs/common';
import { DispatchPauses } from './dispatch-pauses.service.js';

@Module({ providers: [DispatchPauses], exports: [DispatchPauses] })
export class DispatchPausesModule {}
