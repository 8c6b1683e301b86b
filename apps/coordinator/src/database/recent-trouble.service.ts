import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { recentTroubleOf } from './hot-pool.js';

/** For those who tell how the database is. */
@Injectable()
export class RecentTrouble {
  constructor(private readonly dataSource: DataSource) {}

  /** What the server said lately of itself that was wrong; null: nothing. */
  get(): string | null {
    return recentTroubleOf(this.dataSource);
  }
}
