/** What a bridge needs besides what every upstream instance needs. */
import type { Seal } from '../../core/ports.ts';
import type { InstancePorts } from '../instance.ts';

export interface BridgePorts extends InstancePorts {
  readonly seal: Seal;
  /** Whether tasks are carried across eras. Default false. */
  readonly bridgesTasks?: boolean | undefined;
}
