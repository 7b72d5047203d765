/** Ranges of many series, chosen by their labels. https://redis.io/docs/latest/commands/ts.mrange/ */
import type { BlobString, MapOf } from '../../protocol/types.js';
import { list, type Variadic } from '../arguments.js';
import { Command, spec } from '../command.js';
import {
  filterArguments,
  groupByArguments,
  rangeArguments,
  type Timestamp,
  type TsMRangeGroupBy,
  type TsMRangeMultiAggrOptions,
  type TsMRangeOptions,
  type TsRangeOptions,
} from './options.js';
import { bySeries, type LabelMap, multiSamplesOf, type Sample, type Samples, samplesOf } from './samples.js';

type BySeries<T> = MapOf<BlobString, T>;
export interface Labelled<S, V = BlobString> {
  labels: LabelMap<V>;
  samples: S[];
}

/** The commands of one direction; only the name differs. */
function direction(name: 'TS.MRANGE' | 'TS.MREVRANGE') {
  const plain = spec(name, { read: bySeries(samplesOf, ({ samples }) => samples) });
  const grouped = spec(name, { read: bySeries(samplesOf, ({ samples }) => ({ samples })) });
  const multi = spec(name, { read: bySeries(multiSamplesOf, ({ samples }) => samples) });
  const withLabels = () => spec(name, { read: bySeries(samplesOf, ({ labels, samples }) => ({ labels, samples })) });
  const withLabelsMulti = () =>
    spec(name, { read: bySeries(multiSamplesOf, ({ labels, samples }) => ({ labels, samples })) });
  const labelled = withLabels();
  const selected = withLabels();
  const selectedGrouped = withLabels();
  const labelledMulti = withLabelsMulti();
  const selectedMulti = withLabelsMulti();
  const labelledGrouped = spec(name, { read: bySeries(samplesOf, (parts) => parts, true) });

  const range = (from: Timestamp, to: Timestamp, options: TsMRangeOptions | TsMRangeMultiAggrOptions | undefined) => {
    const args = rangeArguments(name, from, to, options);
    if (options?.EXCLUDEEMPTY) args.push('EXCLUDEEMPTY');
    return args;
  };
  const filtered = (filter: Variadic) => ['FILTER', ...filterArguments(name, filter)];
  const selecting = (labels: Variadic) => ['SELECTED_LABELS', ...list(labels)];
  const grouping = (groupBy: TsMRangeGroupBy) => groupByArguments(name, groupBy);

  return {
    plain: (from: Timestamp, to: Timestamp, filter: Variadic, options?: TsMRangeOptions) =>
      new Command<BySeries<Sample[]>>(plain, [...range(from, to, options), ...filtered(filter)]),
    groupBy: (from: Timestamp, to: Timestamp, filter: Variadic, groupBy: TsMRangeGroupBy, options?: TsRangeOptions) =>
      new Command<BySeries<{ samples: Sample[] }>>(grouped, [
        ...rangeArguments(name, from, to, options),
        ...filtered(filter),
        ...grouping(groupBy),
      ]),
    multiAggr: (from: Timestamp, to: Timestamp, filter: Variadic, options: TsMRangeMultiAggrOptions) =>
      new Command<BySeries<Samples[]>>(multi, [...range(from, to, options), ...filtered(filter)]),
    withLabels: (from: Timestamp, to: Timestamp, filter: Variadic, options?: TsMRangeOptions) =>
      new Command<BySeries<Labelled<Sample>>>(labelled, [
        ...range(from, to, options),
        'WITHLABELS',
        ...filtered(filter),
      ]),
    withLabelsGroupBy: (
      from: Timestamp,
      to: Timestamp,
      filter: Variadic,
      groupBy: TsMRangeGroupBy,
      options?: TsRangeOptions,
    ) =>
      new Command<BySeries<Labelled<Sample> & { sources: BlobString[] }>>(labelledGrouped, [
        ...rangeArguments(name, from, to, options),
        'WITHLABELS',
        ...filtered(filter),
        ...grouping(groupBy),
      ]),
    withLabelsMultiAggr: (from: Timestamp, to: Timestamp, filter: Variadic, options: TsMRangeMultiAggrOptions) =>
      new Command<BySeries<Labelled<Samples>>>(labelledMulti, [
        ...range(from, to, options),
        'WITHLABELS',
        ...filtered(filter),
      ]),
    selectedLabels: (from: Timestamp, to: Timestamp, labels: Variadic, filter: Variadic, options?: TsMRangeOptions) =>
      new Command<BySeries<Labelled<Sample, BlobString | null>>>(selected, [
        ...range(from, to, options),
        ...selecting(labels),
        ...filtered(filter),
      ]),
    selectedLabelsGroupBy: (
      from: Timestamp,
      to: Timestamp,
      labels: Variadic,
      filter: Variadic,
      groupBy: TsMRangeGroupBy,
      options?: TsRangeOptions,
    ) =>
      new Command<BySeries<Labelled<Sample, BlobString | null>>>(selectedGrouped, [
        ...rangeArguments(name, from, to, options),
        ...selecting(labels),
        ...filtered(filter),
        ...grouping(groupBy),
      ]),
    selectedLabelsMultiAggr: (
      from: Timestamp,
      to: Timestamp,
      labels: Variadic,
      filter: Variadic,
      options: TsMRangeMultiAggrOptions,
    ) =>
      new Command<BySeries<Labelled<Samples, BlobString | null>>>(selectedMulti, [
        ...range(from, to, options),
        ...selecting(labels),
        ...filtered(filter),
      ]),
  };
}

const forward = direction('TS.MRANGE');
/** Samples from `from` to `to` of every series that the label expressions choose. RedisTimeSeries 1.0.0. */
export const mRange = forward.plain;
/** Series with the same value of a label put together. RedisTimeSeries 1.6.0. */
export const mRangeGroupBy = forward.groupBy;
/** Several aggregations at once. Redis 8.8. */
export const mRangeMultiAggr = forward.multiAggr;
/** With all labels. RedisTimeSeries 1.0.0. */
export const mRangeWithLabels = forward.withLabels;
export const mRangeWithLabelsGroupBy = forward.withLabelsGroupBy;
export const mRangeWithLabelsMultiAggr = forward.withLabelsMultiAggr;
/** With these labels, null where a series has none such. RedisTimeSeries 1.6.0. */
export const mRangeSelectedLabels = forward.selectedLabels;
export const mRangeSelectedLabelsGroupBy = forward.selectedLabelsGroupBy;
export const mRangeSelectedLabelsMultiAggr = forward.selectedLabelsMultiAggr;

const backward = direction('TS.MREVRANGE');
/** {@link mRange}, latest first; so are those below. RedisTimeSeries 1.4.0. */
export const mRevRange = backward.plain;
export const mRevRangeGroupBy = backward.groupBy;
export const mRevRangeMultiAggr = backward.multiAggr;
export const mRevRangeWithLabels = backward.withLabels;
export const mRevRangeWithLabelsGroupBy = backward.withLabelsGroupBy;
export const mRevRangeWithLabelsMultiAggr = backward.withLabelsMultiAggr;
export const mRevRangeSelectedLabels = backward.selectedLabels;
export const mRevRangeSelectedLabelsGroupBy = backward.selectedLabelsGroupBy;
export const mRevRangeSelectedLabelsMultiAggr = backward.selectedLabelsMultiAggr;

export const aliases = {
  mRangeGroupBy: 'MRANGE_GROUPBY',
  mRangeMultiAggr: 'MRANGE_MULTIAGGR',
  mRangeWithLabels: 'MRANGE_WITHLABELS',
  mRangeWithLabelsGroupBy: 'MRANGE_WITHLABELS_GROUPBY',
  mRangeWithLabelsMultiAggr: 'MRANGE_WITHLABELS_MULTIAGGR',
  mRangeSelectedLabels: 'MRANGE_SELECTED_LABELS',
  mRangeSelectedLabelsGroupBy: 'MRANGE_SELECTED_LABELS_GROUPBY',
  mRangeSelectedLabelsMultiAggr: 'MRANGE_SELECTED_LABELS_MULTIAGGR',
  mRevRangeGroupBy: 'MREVRANGE_GROUPBY',
  mRevRangeMultiAggr: 'MREVRANGE_MULTIAGGR',
  mRevRangeWithLabels: 'MREVRANGE_WITHLABELS',
  mRevRangeWithLabelsGroupBy: 'MREVRANGE_WITHLABELS_GROUPBY',
  mRevRangeWithLabelsMultiAggr: 'MREVRANGE_WITHLABELS_MULTIAGGR',
  mRevRangeSelectedLabels: 'MREVRANGE_SELECTED_LABELS',
  mRevRangeSelectedLabelsGroupBy: 'MREVRANGE_SELECTED_LABELS_GROUPBY',
  mRevRangeSelectedLabelsMultiAggr: 'MREVRANGE_SELECTED_LABELS_MULTIAGGR',
} as const;
