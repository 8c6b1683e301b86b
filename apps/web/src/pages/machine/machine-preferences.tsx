import type { Host } from '@gleaner/client';
import { useState, type ReactNode } from 'react';
import { Field, Form, FormError, INPUT } from '../../ui/field';
import { Button, Panel } from '../../ui/parts';
import { hoursOf, readPreferences } from './preferences-form';
import { useMachineChange } from './use-machine-change';

/** When and how much the machine may compute. */
export function MachinePreferences({
  host,
  etag,
  accountId,
}: {
  readonly host: Host;
  readonly etag: string;
  readonly accountId: string;
}) {
  const change = useMachineChange(accountId, host.id, etag);
  const { preferences } = host.wishes;
  return (
    <Panel>
      <h2 className="text-xl">When it may compute</h2>
      <p className="mt-1 mb-4 text-sm text-muted">
        An empty field leaves what is set at the machine, or the default. Hours go by the machine's own clock.
      </p>
      <Form
        className="grid grid-cols-1 gap-4 sm:grid-cols-2"
        onSubmit={(form) => change.mutate({ preferences: readPreferences(form, preferences) })}
      >
        {/* Anew with other preferences only: whatever else changes leaves what is being typed. */}
        <div className="contents" key={JSON.stringify(preferences)}>
          <Select label="While somebody uses it" name="whileInUse" value={preferences?.whileInUse}>
            <option value="pause">pause</option>
            <option value="compute">compute all the same</option>
          </Select>
          <NumberField
            label="Idle after (minutes)"
            name="inUseMinutes"
            max={1440}
            value={preferences?.inUseMinutes}
          />
          <NumberField
            label="Cores at most"
            name="cores"
            min={1}
            max={1024}
            value={preferences?.cores?.idle}
          />
          <NumberField
            label="Time of a core (%)"
            name="cpuTimePercent"
            min={1}
            max={100}
            value={preferences?.cpuTimePercent?.idle}
          />
          <NumberField
            label="Memory at most (%)"
            name="memoryPercent"
            max={100}
            value={preferences?.memoryPercent?.idle}
          />
          <Select label="On battery" name="onBattery" value={preferences?.onBattery}>
            <option value="pause">pause</option>
            <option value="compute">compute all the same</option>
          </Select>
          <Hours {...hoursOf(preferences)} />
        </div>
        <div className="sm:col-span-2">
          <FormError error={change.error} />
          <div className="flex items-center gap-4">
            <Button type="submit" look="quiet" disabled={change.isPending}>
              Save for this machine
            </Button>
            <span role="status" className="text-sm font-semibold text-good">
              {change.isSuccess && 'Saved.'}
            </span>
          </div>
        </div>
      </Form>
    </Panel>
  );
}

/** Both ends or neither: of half a range nothing could be kept. */
function Hours({ from, to }: { readonly from: string; readonly to: string }) {
  const [isFromGiven, setFromGiven] = useState(from !== '');
  const [isToGiven, setToGiven] = useState(to !== '');
  return (
    <>
      <Field
        label="Every day from"
        name="from"
        type="time"
        defaultValue={from}
        required={isToGiven}
        onChange={({ target }) => setFromGiven(target.value !== '')}
      />
      <Field
        label="until"
        name="to"
        type="time"
        defaultValue={to}
        required={isFromGiven}
        onChange={({ target }) => setToGiven(target.value !== '')}
      />
    </>
  );
}

function NumberField({
  label,
  name,
  min = 0,
  max,
  value,
}: {
  readonly label: string;
  readonly name: string;
  readonly min?: number;
  readonly max: number;
  readonly value: number | null | undefined;
}) {
  return (
    <Field
      label={label}
      name={name}
      type="number"
      inputMode="numeric"
      min={min}
      max={max}
      defaultValue={value ?? ''}
    />
  );
}

function Select({
  label,
  name,
  value,
  children,
}: {
  readonly label: string;
  readonly name: string;
  readonly value: string | undefined;
  readonly children: ReactNode;
}) {
  return (
    <label className="block font-semibold">
      {label}
      <select name={name} defaultValue={value ?? ''} className={`${INPUT} font-normal`}>
        <option value="">as set there</option>
        {children}
      </select>
    </label>
  );
}
