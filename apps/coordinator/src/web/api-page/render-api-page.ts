import { z } from 'zod';
import { demandsOf, describeType, nameOf } from './describe-type.js';
import { markup, Html, joined, NOTHING } from './html.js';
import { SCRIPT, STYLE } from './style.js';

const content = z.record(
  z.string(),
  z.looseObject({ schema: z.unknown().optional(), example: z.unknown().optional() }),
);
const operation = z.looseObject({
  operationId: z.string(),
  summary: z.string().default(''),
  tags: z.array(z.string()).default(['other']),
  parameters: z
    .array(
      z.looseObject({
        name: z.string(),
        in: z.string(),
        required: z.boolean().default(false),
        description: z.string().optional(),
        schema: z.unknown(),
      }),
    )
    .default([]),
  requestBody: z.looseObject({ content }).optional(),
  responses: z.record(
    z.string(),
    z.looseObject({ description: z.string().default(''), content: content.optional() }),
  ),
});
const apiDocument = z.looseObject({
  info: z.looseObject({ title: z.string(), description: z.string(), version: z.string() }),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
});

interface Operation extends z.infer<typeof operation> {
  readonly method: string;
  readonly path: string;
}

type Types = Readonly<Record<string, unknown>>;

/** A page of an OpenAPI document for people to read: every operation, every type, without a script that it needs. */
export function renderApiPage(openApi: unknown): string {
  const { info, paths, components } = apiDocument.parse(openApi);
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, facts]): Operation => ({ ...facts, method, path })),
  );
  const types = components.schemas;
  const tags = [...new Set(operations.flatMap((one) => one.tags))].toSorted();
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${info.title} API</title>
        <link rel="icon" href="data:," />
        <style>
          ${new Html(STYLE)}
        </style>
        <script>${new Html(SCRIPT)}</script>
      </head>
      <body>
        <header>
          <a href="/">← ${info.title}</a>
          <h1>${info.title} API</h1>
          <p>${info.description} Version ${info.version}.</p>
          <p class="muted">
            Whatever needs to know who asks takes <code>authorization: Bearer gln_…</code>; tokens are made
            under <a href="/account/settings">your account</a>. Errors are
            <code>application/problem+json</code> (RFC 9457). Lists have a <code>nextCursor</code> and a
            <code>Link: rel=next</code>. For programs: <a href="/v1/openapi.json">OpenAPI 3.1 as JSON</a>,
            <a href="/v1/openapi.yaml">as YAML</a>.
          </p>
          <nav aria-label="Parts of the API">
            <ul>
              ${[...tags, 'types'].map((tag) => markup`<li><a href="#${tag}">${tag}</a></li>`)}
            </ul>
          </nav>
        </header>
        <main>
          ${tags.map(
            (tag) =>
              markup`<section aria-labelledby="${tag}">
                <h2 id="${tag}">${tag}</h2>
                ${operations.filter((one) => one.tags.includes(tag)).map((one) => renderOperation(one, types))}
              </section> `,
          )}
          <section aria-labelledby="types">
            <h2 id="types">types</h2>
            ${Object.entries(types).map(
              ([name, schema]) =>
                markup`<details>
                  <summary><code>${name}</code></summary>
                  <div class="inside" id="type-${name}">${renderNote(demandsOf(schema))}<pre>${describeType(schema)}</pre></div>
                </details> `,
            )}
          </section>
        </main>
      </body>
    </html>
`.text;
}

function renderOperation(one: Operation, types: Types): Html {
  const { method, path, operationId, summary, parameters, requestBody } = one;
  return markup`<details>
    <summary>
      <span class="method ${method}">${method.toUpperCase()}</span> <code>${path}</code>
      <span class="muted">${summary}</span>
    </summary>
    <div class="inside" id="operation-${operationId}">
      ${
        parameters.length === 0
          ? NOTHING
          : markup`<h3>Parameters</h3>
              <dl>${parameters.map(renderParameter)}</dl>`
      }
      ${
        requestBody
          ? markup`<h3>Body</h3>
              ${renderContent(requestBody.content, types)}`
          : NOTHING
      }
      ${renderAnswers(one, types)}
      <h3>Example</h3>
      <pre>${exampleOf(one)}</pre>
    </div>
  </details> `;
}

function renderParameter(parameter: Operation['parameters'][number]): Html {
  const demanded = demandsOf(parameter.schema);
  // Those of schemas carry it themselves; those of headers do not.
  const note = demanded.includes(parameter.description ?? '') ? '' : (parameter.description ?? '');
  const demands = [parameter.in, parameter.required ? 'required' : '', note, demanded];
  return markup`<dt><code>${parameter.name}</code></dt>
    <dd>
      <code>${describeType(parameter.schema)}</code>
      <span class="muted">${demands.filter((part) => part !== '').join('; ')}</span>
    </dd>`;
}

function renderAnswers({ responses }: Operation, types: Types): Html {
  return joined(
    Object.entries(responses).map(
      ([status, answer]) =>
        markup`<h3>Answer ${status}${answer.content ? '' : ', without a body'}</h3>
          ${renderNote(answer.description)} ${answer.content ? renderContent(answer.content, types) : NOTHING}`,
    ),
    '\n',
  );
}

function renderNote(text: string): Html {
  return text === '' ? NOTHING : markup`<p class="muted">${text}</p>`;
}

/** A named type with its members at once; those that they name are links. */
function renderContent(of: z.infer<typeof content>, types: Types): Html {
  return joined(
    Object.entries(of).map(([type, { schema }]) => {
      if (schema === undefined) return markup`<pre>bytes <i>// ${type}</i></pre>`;
      const note = type === 'application/json' ? NOTHING : markup`<i>// ${type}</i>\n`;
      const name = nameOf(schema);
      // Problems are everywhere: their type is among the others.
      const isKnown = name === null || type === 'application/problem+json';
      const definition = isKnown ? NOTHING : markup` = ${describeType(types[name])}`;
      return markup`<pre>${note}${describeType(schema)}${definition}</pre>`;
    }),
    '\n',
  );
}

function exampleOf({ method, path, requestBody }: Operation): string {
  const [type, body] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  const sent = body?.example === undefined ? '@body' : '@-';
  const call = [
    `curl${method === 'get' ? '' : ` -X ${method.toUpperCase()}`} -H "authorization: Bearer $GLEANER_TOKEN"`,
    ...(type === undefined ? [] : [`-H "content-type: ${type}" --data ${sent}`]),
    `"$GLEANER_URL${path}"`,
  ].join(' ');
  if (body?.example === undefined) return call;
  return `${call} <<'END'\n${JSON.stringify(body.example, null, 2)}\nEND`;
}
