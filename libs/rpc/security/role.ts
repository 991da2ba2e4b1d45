/** Who may speak in a mesh. Every token and every certificate names exactly one role. */
export const ROLES = ['client', 'worker', 'provisioner', 'admin', 'observer', 'scheduler', 'checkpointStore'] as const

export type Role = (typeof ROLES)[number]

/** Whether the text names a role. */
export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text)
}
