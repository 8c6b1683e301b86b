import { Injectable } from '@nestjs/common';

/** What the origin has sent of a blob to a host. */
export interface Delivery {
  readonly hostId: string;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly startByte: number;
  /** Less than was asked for where the host hung up. */
  readonly sentBytes: number;
}

export type DeliveryListener = (delivery: Delivery) => void;

/** Where other features learn what hosts fetch from the origin, without blobs knowing of them. */
@Injectable()
export class Deliveries {
  private readonly listeners: DeliveryListener[] = [];

  onDelivered(listener: DeliveryListener): void {
    this.listeners.push(listener);
  }

  emit(delivery: Delivery): void {
    for (const listener of this.listeners) listener(delivery);
  }
}
