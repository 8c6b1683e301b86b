import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import { coordinatorInfo, PROTOCOL_VERSION, type CoordinatorInfo } from '@gleaner/protocol';
import { ManifestSigner } from '../blobs/index.js';
import { CONFIG, type Config } from '../config/index.js';
import { Public } from '../http/index.js';

@ApiTags('coordinator')
@Controller('v1/coordinator')
export class AboutController {
  constructor(
    private readonly signer: ManifestSigner,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  @Get()
  @Public()
  @ApiOkResponse({ standardSchema: coordinatorInfo })
  getCoordinator(): CoordinatorInfo {
    const { name, operatorName, operatorContact, sourceUrl } = this.config;
    return {
      name,
      operator: { name: operatorName, contact: operatorContact },
      protocol: PROTOCOL_VERSION,
      publicKey: this.signer.publicKey,
      sourceUrl,
    };
  }
}
