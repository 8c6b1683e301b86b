import { Injectable } from '@nestjs/common';

/** What a host has come to fetch of a blob. */
export interface Delivery {
  readonly hostId: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  /** When it came, in milliseconds since 1970. */
  readonly atMs: number;
  readonly startByte: number;
  /** Exclusive; null for the end of the blob. */
  readonly endByte: number | null;
  /** Resolves when the origin has ended: with less than was asked for where the host hung up. Never rejects. */
  readonly sentBytes: Promise<number>;
}

export type DeliveryListener = (delivery: Delivery) => void;

/** Where other features learn what hosts fetch from the origin, as soon as they come for it, without blobs knowing of them. */
@Injectable()
export class Deliveries {
  private readonly listeners: DeliveryListener[] = [];

  onBegun(listener: DeliveryListener): void {
    this.listeners.push(listener);
  }

  emit(delivery: Delivery): void {
    for (const listener of this.listeners) listener(delivery);
  }
}
