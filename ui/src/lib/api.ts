import { createClient } from '../../../api/contract/client.ts';
import { contract } from '../../../api/contract/contract.ts';
export const api = createClient(contract);
