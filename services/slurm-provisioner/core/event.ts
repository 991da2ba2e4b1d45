/** What the provisioner hears. */
export type Event =
  | {
      readonly kind: 'demandHeard'
      readonly atMs: number
      /** Slots that would be busy if they were there. A level: hearing it twice changes nothing. */
      readonly wantedSlots: number
      /** Workers of the whole mesh. */
      readonly presentWorkers: number
    }
  | { readonly kind: 'demandLost'; readonly atMs: number }
  | { readonly kind: 'timePassed'; readonly atMs: number }

export type EventOf<Kind extends Event['kind']> = Extract<Event, { kind: Kind }>
