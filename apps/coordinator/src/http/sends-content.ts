import { applyDecorators } from '@nestjs/common';
import { ApiOkResponse, ApiResponse } from '@nestjs/swagger';

/** Says in the API's document that an operation answers with bytes of this type, whole or a range, as `sendContent` does. */
export function SendsContent(type: string): MethodDecorator {
  const content = { [type]: { schema: { type: 'string', format: 'binary' } } };
  return applyDecorators(
    ApiOkResponse({ description: 'The bytes; `Range` is understood', content }),
    ApiResponse({ status: 206, description: 'Those of the asked range', content }),
    ApiResponse({ status: 304, description: 'The client has them: `If-None-Match` names their ETag' }),
  );
}
