import type { OpenAPIObject } from '@nestjs/swagger';
import { LIMITS } from '@gleaner/protocol';
import { PATCH_TYPE, TUS_VERSION } from './upload-headers.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['post']>;
type Parameter = Extract<NonNullable<Operation['parameters']>[number], { readonly in: string }>;

const TAGS = ['Uploads'];

function header(name: string, description: string, required = true): Parameter {
  return { name, in: 'header', required, description, schema: { type: 'string' } };
}

const resumable = header('Tus-Resumable', `The protocol's version, ${TUS_VERSION}`);
const uploadId: Parameter = {
  name: 'uploadId',
  in: 'path',
  required: true,
  description: 'The last part of the location that creating it gave',
  schema: { type: 'string' },
};

/** The tus protocol's operations for the API's document: their routes read no body parser's output, and declare nothing. */
export const UPLOAD_PATHS: OpenAPIObject['paths'] = {
  '/v1/uploads': {
    post: {
      operationId: 'createUpload',
      tags: TAGS,
      parameters: [
        resumable,
        header('Upload-Length', `Bytes of the whole content, at most ${LIMITS.blobBytes}`),
        header(
          'Upload-Metadata',
          'Pairs of a name and its value in base64; `sha256` declares the content',
          false,
        ),
      ],
      responses: { 201: { description: 'Created; `Location` names the upload' } },
    },
  },
  '/v1/uploads/{uploadId}': {
    head: {
      operationId: 'getUploadOffset',
      tags: TAGS,
      parameters: [uploadId, resumable],
      responses: { 200: { description: '`Upload-Offset` says how many bytes have come' } },
    },
    patch: {
      operationId: 'sendUploadPart',
      tags: TAGS,
      parameters: [
        uploadId,
        resumable,
        header('Upload-Offset', 'Where the part begins: what has come so far'),
      ],
      requestBody: {
        required: true,
        content: { [PATCH_TYPE]: { schema: { type: 'string', format: 'binary' } } },
      },
      responses: {
        204: { description: 'Stored; with the last part `Gleaner-Blob-Id` names the blob' },
      },
    },
    delete: {
      operationId: 'abandonUpload',
      tags: TAGS,
      parameters: [uploadId, resumable],
      responses: { 204: { description: 'Forgotten' } },
    },
  },
};
